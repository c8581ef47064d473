# Start the API alone, in containers if Docker runs, otherwise as a local process, and send one request to each model.
$ErrorActionPreference = 'Stop'
& (Join-Path $PSScriptRoot '..' | Join-Path -ChildPath 'start-mlops.ps1') --only mlops-api @args
exit $LASTEXITCODE
