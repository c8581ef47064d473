# Start MLflow alone with the history in mlruns/, in place of `mlflow ui`. Ctrl-C stops it.
$ErrorActionPreference = 'Stop'
& (Join-Path $PSScriptRoot '..' | Join-Path -ChildPath 'start-mlops.ps1') --local --only mlflow-server @args
exit $LASTEXITCODE
