# Run nox from an environment of its own. CI uses the same command.
#   .\scripts\nox.ps1 -s lint            one session; -l lists them
#   .\scripts\nox.ps1                    the default ones
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

$safePath = $env:PYTHONSAFEPATH
Push-Location (Join-Path $PSScriptRoot '..')
try {
    . ./scripts/find-python.ps1
    $env:PYTHONSAFEPATH = $null # with it Python would not find the modules of this folder
    $python = Find-Python 'nox.ps1'
    & $python -m scripts.run_nox nox.ps1 @args
    exit $LASTEXITCODE
} finally {
    $env:PYTHONSAFEPATH = $safePath
    Pop-Location
}
