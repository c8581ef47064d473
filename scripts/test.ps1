# Lint and test everything: nox's default sessions, in private environments.
$ErrorActionPreference = 'Stop'
& (Join-Path $PSScriptRoot 'nox.ps1') @args
exit $LASTEXITCODE
