"""Where things lie: files, the lake, predictions, the state database, the ledger, MLflow. It knows no stage."""
