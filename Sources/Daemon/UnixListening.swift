internal import LinuxSystem
internal import SystemPackage

/// Unix sockets to listen on.
enum UnixListening {
    /// A socket bound to a path, which does not listen yet. A socket file that a killed daemon left is replaced; one that
    /// somebody listens on is not.
    static func bind(_ path: String) throws(ListenRefusal) -> Socket {
        let socket = try ListenRefusal.trying("socket") { () throws(Errno) in try Socket.unixStream() }
        do throws(Errno) {
            try socket.bind(toPath: path)
        } catch {
            guard error == .addressInUse, try isAbandoned(path) else {
                throw ListenRefusal(call: "bind", error: error)
            }
            try ListenRefusal.trying("unlink") { () throws(Errno) in try UnixSocketFile.remove(path) }
            try ListenRefusal.trying("bind") { () throws(Errno) in try socket.bind(toPath: path) }
        }
        return socket
    }

    private static func isAbandoned(_ path: String) throws(ListenRefusal) -> Bool {
        let probe = try ListenRefusal.trying("socket") { () throws(Errno) in try Socket.unixStream() }
        do throws(Errno) {
            _ = try probe.connect(toPath: path)
            return false
        } catch {
            return error == .connectionRefused
        }
    }
}
