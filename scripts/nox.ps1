# Run nox from an environment of its own. CI uses the same command.
#   .\scripts\nox.ps1 -s lint            one session; -l lists them
#   .\scripts\nox.ps1                    the default ones
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false

# PowerShell consumes a bare `--`. Return the arguments with it, at its place in the line.
function Restore-DoubleDash($Invocation, $Arguments) {
    if (-not $Invocation.Line) { return $Arguments } # called by -File, which leaves it
    $tokens = $errors = $null
    $tree = [System.Management.Automation.Language.Parser]::ParseInput($Invocation.Line, [ref] $tokens, [ref] $errors)
    $start = $Invocation.OffsetInLine - 1
    $call = $tree.Find({
        param($node)
        $node -is [System.Management.Automation.Language.CommandAst] -and $node.Extent.StartOffset -eq $start
    }, $true)
    if (-not $call) { return $Arguments }
    $words = @($call.CommandElements | ForEach-Object { $_.Extent.Text })
    $place = [array]::IndexOf($words, '--')
    if ($place -lt 0 -or $Arguments.Count -ge $words.Count - 1) { return $Arguments } # nothing is missing
    $after = $words.Count - $place - 1
    $before = $Arguments.Count - $after
    return @($Arguments | Select-Object -First $before) + '--' + @($Arguments | Select-Object -Last $after)
}

$safePath = $env:PYTHONSAFEPATH
Push-Location (Join-Path $PSScriptRoot '..')
try {
    . ./scripts/find-python.ps1
    $env:PYTHONSAFEPATH = $null # with it Python would not find the modules of this folder
    $python = Find-Python 'nox.ps1'
    $words = @(Restore-DoubleDash $MyInvocation $args)
    & $python -m scripts.run_nox nox.ps1 @words
    exit $LASTEXITCODE
} finally {
    $env:PYTHONSAFEPATH = $safePath
    Pop-Location
}
