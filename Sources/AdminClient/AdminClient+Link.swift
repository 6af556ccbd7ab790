public import Admin

extension AdminClient {
    /// Changes a link, and answers it as it is then.
    public func change(link name: String, _ change: LinkRoleChange) throws(AdminClientError) -> LinkView {
        var members: [String] = []
        if let backup = change.backup { members.append("\"backup\":\(backup)") }
        if let up = change.up { members.append("\"up\":\(up)") }
        let body = Array("{\(members.joined(separator: ","))}".utf8)
        return try decode(LinkView.self, try ask("PATCH", "/v1/links/\(Self.escape(name))", body: body))
    }

    /// A name as a segment of a path, RFC 3986.
    static func escape(_ name: String) -> String {
        var text = ""
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text
    }
}
