/// A family of generic netlink, as the kernel describes it: its number is decided at boot, its name is fixed.
public struct NetlinkFamily: Sendable, Hashable {
    /// What messages to and from it have as their type.
    public let id: UInt16
    /// Its version.
    public let version: UInt32
    /// The commands it has, which newer kernels add to; empty where the kernel does not say.
    public let commands: Set<UInt32>
    /// Its multicast groups' numbers by name.
    public let groups: [String: UInt32]

    /// Asks the kernel for a family by its name.
    ///
    /// - Throws: `NetlinkError.refused(.noSuchFileOrDirectory, …)` when the kernel has no such family.
    public static func named(
        _ name: String, on socket: inout NetlinkSocket
    ) throws(NetlinkError) -> NetlinkFamily {
        var request = NetlinkRequest(family: controller, command: 3, version: 2)
        request.add(2, text: name)
        for message in try socket.exchange(request) where message.type == controller {
            do throws(NetlinkSyntaxError) {
                return try NetlinkFamily(message.payload.span)
            } catch {
                throw .syntax(error)
            }
        }
        throw .syntax(.malformed(offset: 0, "no answer but an acknowledgement"))
    }

    /// Reads the answer to `CTRL_CMD_GETFAMILY`, from its `struct genlmsghdr` on.
    public init(_ bytes: Span<UInt8>) throws(NetlinkSyntaxError) {
        var attributes = try NetlinkAttributes(after: 4, in: bytes)
        var id: UInt16?
        var version: UInt32 = 0
        var commands: Set<UInt32> = []
        var groups: [String: UInt32] = [:]
        while let attribute = try attributes.next(in: bytes) {
            switch attribute.type {
            case 1: id = try attribute.uint16(in: bytes)
            case 3: version = try attribute.uint32(in: bytes)
            case 6:
                var entries = NetlinkAttributes(nestedIn: attribute)
                while let entry = try entries.next(in: bytes) {
                    let (_, number) = try Self.entry(entry, name: 0, number: 1, in: bytes)
                    if let number { commands.insert(number) }
                }
            case 7:
                var entries = NetlinkAttributes(nestedIn: attribute)
                while let entry = try entries.next(in: bytes) {
                    let (name, number) = try Self.entry(entry, name: 1, number: 2, in: bytes)
                    if let name, let number { groups[name] = number }
                }
            default: break
            }
        }
        guard let id else { throw .malformed(offset: 0, "a family without a number") }
        (self.id, self.version, self.commands, self.groups) = (id, version, commands, groups)
    }

    private static func entry(
        _ entry: NetlinkAttribute, name nameType: UInt16, number numberType: UInt16, in bytes: Span<UInt8>
    ) throws(NetlinkSyntaxError) -> (name: String?, number: UInt32?) {
        var parts = NetlinkAttributes(nestedIn: entry)
        var name: String?
        var number: UInt32?
        while let part = try parts.next(in: bytes) {
            if part.type == numberType {
                number = try part.uint32(in: bytes)
            } else if part.type == nameType {
                name = part.text(in: bytes)
            }
        }
        return (name, number)
    }

    /// `GENL_ID_CTRL`: the family that describes families.
    private static let controller: UInt16 = 16
}
