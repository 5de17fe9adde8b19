// The calls of Windows that a client of Handle Broker takes, and what is made of their error codes, which PowerShell
// itself would lose. C# 5, for Windows PowerShell.
using System;
using System.Runtime.InteropServices;

public static class HandleBrokerWindows
{
    [DllImport("kernel32.dll")] public static extern bool CloseHandle(IntPtr handle);
    [DllImport("kernel32.dll")] public static extern bool SetEvent(IntPtr handle);
    [DllImport("kernel32.dll")] public static extern bool SetHandleInformation(IntPtr handle, uint mask, uint flags);
    [DllImport("kernel32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
    static extern IntPtr CreateFileW(string name, uint access, uint share, IntPtr security, uint how, uint flags,
                                     IntPtr template);
    [DllImport("kernel32.dll", CharSet = CharSet.Unicode, SetLastError = true)]
    static extern bool WaitNamedPipeW(string name, uint ms);
    [DllImport("kernel32.dll")] static extern bool GetNamedPipeServerProcessId(IntPtr pipe, out uint pid);
    [DllImport("kernel32.dll")] static extern IntPtr LocalFree(IntPtr memory);
    [DllImport("advapi32.dll")]
    static extern uint GetSecurityInfo(IntPtr handle, int kind, uint which, out IntPtr owner, IntPtr group, IntPtr dacl,
                                       IntPtr sacl, out IntPtr descriptor);
    [DllImport("advapi32.dll")] static extern bool IsWellKnownSid(IntPtr sid, int kind);
    [DllImport("advapi32.dll", CharSet = CharSet.Unicode)]
    static extern IntPtr OpenSCManagerW(string machine, string database, uint access);
    [DllImport("advapi32.dll", CharSet = CharSet.Unicode)]
    static extern IntPtr OpenServiceW(IntPtr manager, string name, uint access);
    [DllImport("advapi32.dll")]
    static extern bool QueryServiceStatusEx(IntPtr service, int level, [Out] uint[] status, uint size, out uint needed);
    [DllImport("advapi32.dll")] static extern bool CloseServiceHandle(IntPtr handle);

    public static IntPtr OpenPipe(string name)
    {
        const uint access = 0x12019B; // to read and write, and not to make further instances
        const uint flags = 0x00100000 | 0x00010000; // SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION
        for (;;) {
            IntPtr pipe = CreateFileW(name, access, 0, IntPtr.Zero, 3 /* OPEN_EXISTING */, flags, IntPtr.Zero);
            if (pipe != new IntPtr(-1))
                return pipe;
            if (Marshal.GetLastWin32Error() != 231 /* ERROR_PIPE_BUSY */ || !WaitNamedPipeW(name, 10000))
                throw new Exception("unavailable: the pipe cannot be opened; is the service running? " +
                    "sc.exe start HandleBroker (Windows error " + Marshal.GetLastWin32Error() + ")");
        }
    }

    // Whose pipe is it? Its owner must be SYSTEM or Administrators, its maker the process that runs as the service.
    public static void Verify(IntPtr pipe)
    {
        IntPtr owner, descriptor;
        uint size, maker;
        uint[] status = new uint[9];
        uint told = GetSecurityInfo(pipe, 6 /* SE_KERNEL_OBJECT */, 1 /* OWNER */, out owner, IntPtr.Zero,
                                    IntPtr.Zero, IntPtr.Zero, out descriptor);
        // WinLocalSystemSid, WinBuiltinAdministratorsSid
        bool trusted = told == 0 && (IsWellKnownSid(owner, 22) || IsWellKnownSid(owner, 26));
        LocalFree(descriptor);
        IntPtr manager = OpenSCManagerW(null, null, 1 /* SC_MANAGER_CONNECT */);
        IntPtr service = OpenServiceW(manager, "HandleBroker", 4 /* SERVICE_QUERY_STATUS */);
        bool asked = QueryServiceStatusEx(service, 0, status, 36, out size);
        CloseServiceHandle(service);
        CloseServiceHandle(manager);
        uint pid = status[7]; // dwProcessId of SERVICE_STATUS_PROCESS
        if (!trusted || !asked || pid == 0 || !GetNamedPipeServerProcessId(pipe, out maker) || maker != pid)
            throw new Exception("untrusted: this is not the pipe of the service HandleBroker; nothing was sent to it");
    }
}
