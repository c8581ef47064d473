# Run nox, from a private environment of its own; what CI does is done with the same command.
#   .\scripts\nox.ps1 -s lint            one session; -l lists them
#   .\scripts\nox.ps1                    the default ones
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

$safePath, $utf8 = $env:PYTHONSAFEPATH, $env:PYTHONUTF8
Push-Location (Join-Path $PSScriptRoot '..')
try {
    . ./scripts/find-python.ps1
    $env:PYTHONSAFEPATH = $null # with it Python would not find the modules of this folder
    $env:PYTHONUTF8 = '1' # else what is no terminal has the encoding of the user's language
    $python = Find-Python 'nox.ps1'

    $lock = Join-Path 'requirements' 'nox.txt'
    $folder = if ($env:NOX_ENVDIR) { $env:NOX_ENVDIR } else { '.nox' }
    $own = Join-Path $folder 'own'
    $installed = Join-Path $own 'installed.txt'
    if (-not (Test-Path $installed) -or (Get-FileHash $lock).Hash -ne (Get-FileHash $installed).Hash) {
        & $python -m venv --clear $own
        if ($LASTEXITCODE -ne 0) {
            Stop-Script "nox.ps1: $own cannot be made: see above."
        }
    }
    $programs = Join-Path $own 'bin'
    if (-not (Test-Path $programs)) {
        $programs = Join-Path $own 'Scripts' # on Windows
    }
    if (-not (Test-Path $installed)) {
        & (Join-Path $programs 'python') -m pip install --quiet --require-hashes -r $lock
        if ($LASTEXITCODE -ne 0) {
            Stop-Script 'nox.ps1: the packages of requirements/nox.txt cannot be installed: see above.'
        }
        Copy-Item $lock $installed
    }
    $nox = Join-Path $programs 'nox'
    if ($env:GITHUB_ACTIONS) { # annotate faults, report a failure in a sentence
        & $python -m scripts.ci.report_failure $nox @args
    } else {
        & $nox @args
    }
    exit $LASTEXITCODE
} finally {
    $env:PYTHONSAFEPATH, $env:PYTHONUTF8 = $safePath, $utf8
    Pop-Location
}
