# Handle Broker from PowerShell, over the bare protocol: a session with the service. To be dot-sourced.
# The contract is PROTOCOL.md; most of this is its chapter "What a client must do itself". All calls block.
# For Windows PowerShell 5.1 and PowerShell 7, with nothing to install.
$ErrorActionPreference = 'Stop'
$ServicePipe = '\\.\pipe\ProtectedPrefix\Administrators\HandleBroker'

Add-Type -Path (Join-Path $PSScriptRoot 'windows.cs')

# $Unverified: for a broker in the console ("handlebroker run --pipe NAME"), which cannot be told from an impostor.
function Open-Session([string] $Pipe, [bool] $Unverified) {
    $handle = [HandleBrokerWindows]::OpenPipe($Pipe)
    if (-not $Unverified) { [HandleBrokerWindows]::Verify($handle) }
    $safe = [Microsoft.Win32.SafeHandles.SafePipeHandle]::new($handle, $true)
    $stream = [IO.Pipes.NamedPipeClientStream]::new([IO.Pipes.PipeDirection]::InOut, $false, $true, $safe)
    $utf8 = [Text.UTF8Encoding]::new($false)
    $session = @{ Stream = $stream; LastId = 0; Notifications = [Collections.Queue]::new() }
    $session.Reader = [IO.StreamReader]::new($stream, $utf8)
    $session.Writer = [IO.StreamWriter]::new($stream, $utf8)
    $client = @{ name = 'powershell'; version = '1' }
    $hello = Send-Request $session 'session.hello' @{ protocol = @(1); client = $client }
    # As only this process can; the service closes it.
    if (-not [HandleBrokerWindows]::SetEvent([IntPtr] $hello.proof)) { throw 'the proof cannot be set' }
    [void] (Send-Request $session 'session.prove' @{})
    $session
}

# Sends a request and reads up to its answer. It is the only one under way, so the answer can be no other's.
function Send-Request($Session, [string] $Method, $Params) {
    $Session.LastId += 1
    $request = [ordered] @{ jsonrpc = '2.0'; id = $Session.LastId; method = $Method; params = $Params }
    $Session.Writer.Write((ConvertTo-Json $request -Compress -Depth 8) + "`n")
    $Session.Writer.Flush()
    for (;;) {
        $message = Read-Message $Session
        if ($null -ne $message.id) { return $message.result }
        $Session.Notifications.Enqueue($message) # it came in between
    }
}

# The next notification: one that came in between, or the next that comes.
function Read-Notification($Session) {
    if ($Session.Notifications.Count -gt 0) { $Session.Notifications.Dequeue() } else { Read-Message $Session }
}

function Read-Message($Session) {
    $line = $Session.Reader.ReadLine()
    if ($null -eq $line) { throw 'the service has ended the session' }
    $message = ConvertFrom-Json $line
    if ($message.error) { throw "$($message.error.message): $($message.error.data.detail)" }
    $message
}

# With which flags the target is to have it, and the end of it.
function Set-ItemFlags($Item) {
    $flags = [int] $Item.inherit + 2 * [int] $Item.protect
    $done = [HandleBrokerWindows]::SetHandleInformation([IntPtr] $Item.handle, 3, $flags)
    if (-not $done) { throw 'SetHandleInformation' }
}

function Close-Item($Item) {
    [void] [HandleBrokerWindows]::SetHandleInformation([IntPtr] $Item.handle, 2, 0) # HANDLE_FLAG_PROTECT_FROM_CLOSE
    if (-not [HandleBrokerWindows]::CloseHandle([IntPtr] $Item.handle)) { throw 'CloseHandle' }
}

# Leaves: what was delivered and is not wanted any more is closed, then the pipe.
function Close-Session($Session) {
    foreach ($message in $Session.Notifications) {
        if ($message.method -eq 'handle.delivered') { foreach ($item in $message.params.items) { Close-Item $item } }
    }
    $Session.Stream.Dispose()
}
