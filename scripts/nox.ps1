# Run nox, from a private environment of its own; what CI does is done with the same command.
#   .\scripts\nox.ps1 -s lint            one session; -l lists them
#   .\scripts\nox.ps1                    the default ones
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '..')

$python = Get-Command python -ErrorAction SilentlyContinue
if (-not $python) {
    Write-Error 'nox.ps1: Python 3.11 or newer is not installed.'
}
& $python.Source -c 'import sys; sys.exit(sys.version_info < (3, 11))'
if ($LASTEXITCODE -ne 0) {
    Write-Error 'nox.ps1: this Python is too old; install Python 3.11 or newer.'
}

$lock = Join-Path 'requirements' 'nox.txt'
$own = Join-Path '.nox' 'own'
if ($env:NOX_ENVDIR) {
    $own = Join-Path $env:NOX_ENVDIR 'own'
}
$installed = Join-Path $own 'installed.txt'
$current = (Test-Path $installed) -and ((Get-FileHash $lock).Hash -eq (Get-FileHash $installed).Hash)
if (-not $current) {
    & $python.Source -m venv --clear $own
    & (Join-Path $own 'Scripts\python.exe') -m pip install --quiet --require-hashes -r $lock
    if ($LASTEXITCODE -ne 0) {
        Write-Error 'nox.ps1: the packages of requirements/nox.txt could not be installed.'
    }
    Copy-Item $lock $installed
}
$nox = Join-Path $own 'Scripts\nox.exe'
if ($env:GITHUB_ACTIONS) { # what is wrong is marked at its line and told in a sentence
    & $python.Source -m scripts.ci.tell $nox @args
} else {
    & $nox @args
}
exit $LASTEXITCODE
