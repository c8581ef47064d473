"""The worker: two services for the API in one process, explanations and jobs.

They need scikit-learn, MLflow or SHAP, which the API does without. `server.py` starts
the process.
"""
