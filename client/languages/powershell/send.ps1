# powershell -File send.ps1 NAME FILE [-Pipe PIPE] [-Unverified]
#
# Opens FILE to read it and hands it, with an event to say that it was read, to who has opened the endpoint NAME (such
# as user/inbox). Exit code 0 only if the target has set the event.
param(
    [Parameter(Mandatory)] [string] $Name,
    [Parameter(Mandatory)] [string] $File,
    [string] $Pipe,
    [switch] $Unverified
)
. (Join-Path $PSScriptRoot 'handle_broker.ps1')

function Send-File($Session) {
    $source = [IO.File]::OpenRead((Resolve-Path -LiteralPath $File).ProviderPath)
    $read = [Threading.EventWaitHandle]::new($false, [Threading.EventResetMode]::ManualReset)
    $sent = Send-Request $Session 'handle.send' @{
        to    = $Name
        items = @(
            @{ handle = $source.SafeFileHandle.DangerousGetHandle().ToInt64(); type = 'File'; access = 'read' }
            # EVENT_MODIFY_STATE
            @{ handle = $read.SafeWaitHandle.DangerousGetHandle().ToInt64(); type = 'Event'; access = 0x2 }
        )
    }
    $source.Dispose() # the target has its own
    foreach ($item in $sent.items) {
        [Console]::WriteLine('source: the target has a handle to this {0}, access 0x{1:x}', $item.type, $item.access)
    }
    if (-not $read.WaitOne(10000)) { throw 'the target has not set the event within 10 s' }
    [Console]::WriteLine('source: the target has set the event')
    Close-Session $Session
}

try {
    if (-not $Pipe) { $Pipe = $ServicePipe }
    Send-File (Open-Session $Pipe $Unverified)
} catch {
    [Console]::Error.WriteLine("source: $($_.Exception.GetBaseException().Message)")
    exit 1
}
