# Start the whole stack: in containers where Docker runs, else as local processes. See --help.
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

$safePath = $env:PYTHONSAFEPATH
Push-Location $PSScriptRoot
try {
    . ./scripts/find-python.ps1
    $env:PYTHONSAFEPATH = $null # with it Python would not find the modules of this folder
    $python = Find-Python 'start-mlops.ps1'
    & $python -m scripts.start @args
    exit $LASTEXITCODE
} finally {
    $env:PYTHONSAFEPATH = $safePath
    Pop-Location
}
