"""The service beside the API for what needs scikit-learn, MLflow or SHAP; see
`server.py`.
"""
