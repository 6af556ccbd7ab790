internal import CSystemd
public import LinuxSystem
public import SystemPackage

/// The service manager's file-descriptor store: what is put there outlives a restart of the service and comes back in
/// ``InheritedSockets`` under its name. Needs `FileDescriptorStoreMax=` in the unit; see sd_pid_notify_with_fds(3).
///
/// Names begin with ``prefix`` there, so that a stored socket is told from one of a socket unit.
public enum DescriptorStore {
    /// What the names of stored descriptors begin with among the inherited ones.
    public static let prefix = "stored."

    /// Puts a copy of `descriptor` into the store under `name`. The original stays with its owner.
    ///
    /// Several may have one name; the store drops what it already holds. systemd drops by itself what reports an error
    /// or hang-up, and a full store takes no more, silently: the service manager answers nothing.
    /// - Throws: ``DescriptorStoreError``.
    @discardableResult
    public static func put(
        _ descriptor: borrowing Descriptor, named name: String
    ) throws(DescriptorStoreError) -> Notification.Delivery {
        try put(raw: descriptor.raw, named: name)
    }

    /// Puts a copy of `socket` into the store under `name`; otherwise as for a ``LinuxSystem/Descriptor``.
    @discardableResult
    public static func put(
        _ socket: borrowing Socket, named name: String
    ) throws(DescriptorStoreError) -> Notification.Delivery {
        try put(raw: socket.raw, named: name)
    }

    /// Closes every descriptor of this name in the store.
    ///
    /// - Throws: ``DescriptorStoreError``.
    @discardableResult
    public static func remove(named name: String) throws(DescriptorStoreError) -> Notification.Delivery {
        try notify("FDSTOREREMOVE=1\nFDNAME=" + storedName(name), [], name)
    }

    /// The names (as they were given to ``put(_:named:)-(Descriptor,_)``) of the stored descriptors among the inherited.
    public static func names(in inherited: borrowing InheritedSockets) -> [String] {
        inherited.names.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    /// The name in `LISTEN_FDNAMES` of what was stored as `name`.
    public static func inheritedName(of name: String) -> String { prefix + name }

    private static func put(raw: CInt, named name: String) throws(DescriptorStoreError) -> Notification.Delivery {
        try notify("FDSTORE=1\nFDNAME=" + storedName(name), [raw], name)
    }

    /// systemd ignores an invalid name without a word and stores the descriptor as `stored`, so refuse it here.
    private static func storedName(_ name: String) throws(DescriptorStoreError) -> String {
        let full = inheritedName(of: name)
        let printable = full.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: ":") }
        guard printable, !name.isEmpty, full.utf8.count <= 255 else { throw .invalidName(name) }
        return full
    }

    private static func notify(
        _ message: String, _ descriptors: [CInt], _ name: String
    ) throws(DescriptorStoreError) -> Notification.Delivery {
        let answer = unsafe descriptors.withUnsafeBufferPointer { buffer in
            unsafe sd_pid_notify_with_fds(0, 0, message, buffer.baseAddress, UInt32(buffer.count))
        }
        if answer < 0 { throw .failed(name: name, errno: Errno(rawValue: -answer)) }
        return answer == 0 ? .noServiceManager : .sent
    }
}

/// Why a descriptor was not put into the store or taken out of it.
public enum DescriptorStoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A name is one or more printable ASCII characters without `:`, and at most 248 of them.
    case invalidName(String)
    /// The service manager's socket refused.
    case failed(name: String, errno: Errno)

    /// One line for people.
    public var description: String {
        switch self {
        case .invalidName(let name):
            "\"\(Notification.oneLine(name))\" cannot name a stored descriptor: printable ASCII without ':' only"
        case .failed(let name, let errno): "the service manager's descriptor store refused \"\(name)\": \(errno)"
        }
    }
}
