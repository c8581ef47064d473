# Start the stack: so far MLflow over the whole committed history, on http://127.0.0.1:5000.
# Makes a private environment in .venv first; run it again at any time.
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot

$python = Get-Command python -ErrorAction SilentlyContinue
if (-not $python) {
    Write-Error 'start-mlops.ps1: found no Python 3.11 or newer: install it and run this again.'
}
& $python.Source -c 'import sys; sys.exit(sys.version_info < (3, 11))'
if ($LASTEXITCODE -ne 0) {
    Write-Error 'start-mlops.ps1: this Python is too old; install Python 3.11 or newer.'
}

$lock = Join-Path 'requirements' 'mlflow.txt'
$installed = Join-Path '.venv' 'installed.txt'
$current = (Test-Path $installed) -and ((Get-FileHash $lock).Hash -eq (Get-FileHash $installed).Hash)
if (-not $current) {
    Write-Output 'installing the packages of requirements/mlflow.txt into .venv (once) ...'
    & $python.Source -m venv --clear .venv
    & .venv\Scripts\python.exe -m pip install --quiet --require-hashes -r $lock
    if ($LASTEXITCODE -ne 0) {
        Write-Error 'start-mlops.ps1: the packages of requirements/mlflow.txt could not be installed.'
    }
    Copy-Item $lock $installed
}
$env:PYTHONPATH = $PSScriptRoot
& .venv\Scripts\python.exe scripts\start.py @args
exit $LASTEXITCODE
