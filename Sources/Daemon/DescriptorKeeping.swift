internal import Configuration
internal import LinuxSystem
internal import Logging
internal import ServiceManager

/// Listening sockets in the service manager's store, so that a restart refuses no client: they listen on while nobody
/// accepts, and the next process goes on with them.
enum DescriptorKeeping {
    /// What an address's sockets are called in the store. Colons are not allowed there.
    static func name(_ address: ListenAddress) -> String {
        var name = "listen "
        for byte in address.description.utf8 {
            switch byte {
            case UInt8(ascii: ":"): name += "%3A"
            case UInt8(ascii: "%"): name += "%25"
            case 0x20..<0x7F: name.unicodeScalars.append(Unicode.Scalar(byte))
            default: name += "%" + String(byte, radix: 16, uppercase: true)
            }
        }
        return name
    }

    /// Whether the service manager has its own already: what it passed by a socket unit.
    private static func isForeign(_ listener: borrowing OpenListener) -> Bool {
        if case .descriptor = listener.configured { true } else { false }
    }

    /// Puts a listener into the store, where there is one.
    static func keep(_ listener: borrowing OpenListener, _ logger: Logger) {
        guard Notification.isWanted, !isForeign(listener) else { return }
        do throws(DescriptorStoreError) {
            try DescriptorStore.put(listener.socket, named: name(listener.configured))
        } catch {
            logger.warning("\(listener.address): a restart will refuse clients for a moment: \(error)")
        }
    }

    /// Takes out of the store what no listener of the configuration wants: it would listen on, and come back at each restart.
    static func forget(stored name: String, _ logger: Logger) {
        guard Notification.isWanted else { return }
        do throws(DescriptorStoreError) {
            try DescriptorStore.remove(named: name)
        } catch {
            logger.warning("\(name) stays in the service manager's store: \(error)")
        }
    }

    /// Takes a listener out of the store.
    static func forget(_ listener: borrowing OpenListener, _ logger: Logger) {
        guard Notification.isWanted, !isForeign(listener) else { return }
        do throws(DescriptorStoreError) {
            try DescriptorStore.remove(named: name(listener.configured))
        } catch {
            logger.warning("\(listener.address) stays in the service manager's store: \(error)")
        }
    }
}
