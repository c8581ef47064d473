"""From validated rows to a bundle: fit the candidates, judge them, export the best to
ONNX.
"""
