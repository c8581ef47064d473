"""The prediction API: serves the ONNX models in `deployment/models/`, knows nothing of
training.
"""
