# What `mlflow ui` is elsewhere: MLflow alone, over the history in mlruns/. Ctrl-C ends it.
$ErrorActionPreference = 'Stop'
& (Join-Path $PSScriptRoot '..' | Join-Path -ChildPath 'start-mlops.ps1') --local --only mlflow-server @args
exit $LASTEXITCODE
