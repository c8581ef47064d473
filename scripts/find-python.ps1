# Returns the name of a Python that our packages support, and ends the script if there is none.
# scripts/find-python.sh does the same.

function Stop-Script([string] $sentence) {
    [Console]::Error.WriteLine($sentence)
    exit 1
}

function Find-Python([string] $script) {
    $ErrorActionPreference = 'Continue' # what a program writes to standard error ends nothing
    foreach ($name in 'python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python', 'py') {
        if (Get-Command $name -CommandType Application -ErrorAction SilentlyContinue) {
            & $name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>$null
            if ($LASTEXITCODE -eq 0) {
                return $name
            }
        }
    }
    Stop-Script "${script}: found no Python 3.11 to 3.14: install one and run this again."
}
