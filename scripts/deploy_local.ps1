# The API alone, in containers where Docker runs, else as a local process; each model is asked once.
$ErrorActionPreference = 'Stop'
& (Join-Path $PSScriptRoot '..' | Join-Path -ChildPath 'start-mlops.ps1') --only mlops-api @args
exit $LASTEXITCODE
