# powershell -File receive.ps1 NAME [-Pipe PIPE] [-Unverified]
#
# Opens the endpoint NAME (such as user/inbox), takes one delivery and uses it: what a file has in it is printed, an
# event is set. Exit code 0 only if that was done.
param(
    [Parameter(Mandatory)] [string] $Name,
    [string] $Pipe,
    [switch] $Unverified
)
. (Join-Path $PSScriptRoot 'handle_broker.ps1')

function Use-Item($Item) {
    if ($Item.type -eq 'Event') {
        if (-not [HandleBrokerWindows]::SetEvent([IntPtr] $Item.handle)) { throw 'the event cannot be set' }
        [Console]::WriteLine('target: the event is set')
        return
    }
    $handle = [Microsoft.Win32.SafeHandles.SafeFileHandle]::new([IntPtr] $Item.handle, $false)
    $file = [IO.FileStream]::new($handle, [IO.FileAccess]::Read, 1)
    $output = [Console]::OpenStandardOutput()
    $file.CopyTo($output)
    $output.Flush()
    $file.Dispose()
}

function Receive-Delivery($Session) {
    # This is the consent: files to read, and events to set (EVENT_MODIFY_STATE), and nothing else.
    $endpoint = Send-Request $Session 'endpoint.open' @{ name = $Name; types = @{ File = 'read'; Event = 0x2 } }
    [Console]::WriteLine("target: $($endpoint.endpoint) is open")
    do {
        $message = Read-Notification $Session
        if ($message.method -ne 'handle.delivered') { continue }
        # Without an endpoint another process has put a handle into this one: not for us, but ours to close.
        $delivery = $message.params
        $ours = $delivery.endpoint -ceq $Name
        if ($ours) {
            [Console]::WriteLine("target: process $($delivery.from.pid) has sent $($delivery.items.Count) handles")
        }
        foreach ($item in $delivery.items) {
            Set-ItemFlags $item
            if ($ours) { Use-Item $item }
            Close-Item $item
        }
    } until ($ours)
    [void] (Send-Request $Session 'endpoint.close' @{ name = $Name })
    Close-Session $Session
}

try {
    if (-not $Pipe) { $Pipe = $ServicePipe }
    Receive-Delivery (Open-Session $Pipe $Unverified)
} catch {
    [Console]::Error.WriteLine("target: $($_.Exception.GetBaseException().Message)")
    exit 1
}
