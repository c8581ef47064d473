# Start the whole stack: in containers where Docker runs, else as local processes. --help says more.
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot

foreach ($name in 'python', 'python3', 'py') {
    if (Get-Command $name -ErrorAction SilentlyContinue) {
        & $name -c 'import sys; sys.exit(sys.version_info < (3, 11))'
        if ($LASTEXITCODE -eq 0) {
            & $name -m scripts.start @args
            exit $LASTEXITCODE
        }
    }
}
Write-Output 'start-mlops.ps1: found no Python 3.11 or newer: install it and run this again.'
exit 1
