internal import FoundationEssentials

/// An HTTP/1.1 response that was read to its end. RFC 9112.
struct HTTPResponse {
    let status: Int
    let body: [UInt8]

    /// - Throws: `AdminClientError.malformed` when it is none, or not whole.
    init(parsing bytes: [UInt8], path: String) throws(AdminClientError) {
        func malformed(_ what: String) -> AdminClientError { .malformed(path: path, what) }
        guard let end = Self.endOfHead(bytes) else { throw malformed("the answer has no end of its head") }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw malformed("the answer is not HTTP")
        }
        var length: Int?
        var isChunked = false
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { throw malformed("a header field has no colon") }
            let value = parts[1].drop { $0 == " " }
            switch parts[0].lowercased() {
            case "content-length": length = Int(value)
            case "transfer-encoding": isChunked = value.lowercased() == "chunked"
            default: break
            }
        }
        self.status = status
        let rest = bytes[(end + 4)...]
        if isChunked {
            guard let body = Self.unchunked(rest) else { throw malformed("the answer breaks off") }
            self.body = body
        } else {
            guard length.map({ $0 == rest.count }) ?? true else { throw malformed("the answer breaks off") }
            body = Array(rest)
        }
    }

    /// What `{"error": "…"}` says, or the body as it is.
    var reason: String {
        if let object = try? JSONDecoder().decode([String: String].self, from: Data(body)), let error = object["error"]
        {
            return error
        }
        return String(decoding: body.prefix(500), as: UTF8.self)
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        var index = 0
        while index + 3 < bytes.count {
            if bytes[index] == 13, bytes[index + 1] == 10, bytes[index + 2] == 13, bytes[index + 3] == 10 {
                return index
            }
            index += 1
        }
        return nil
    }

    /// Takes the chunks apart; nil when the last is missing.
    private static func unchunked(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var body: [UInt8] = []
        body.reserveCapacity(bytes.count)
        var rest = bytes
        while true {
            guard let line = rest.firstIndex(of: 13), line + 1 < rest.endIndex, rest[line + 1] == 10 else { return nil }
            let text = String(decoding: rest[rest.startIndex..<line], as: UTF8.self)
            guard let size = Int(text.split(separator: ";").first ?? "", radix: 16), size >= 0 else { return nil }
            if size == 0 { return body }
            let first = line + 2
            guard size <= rest.endIndex - first - 2 else { return nil }
            body.append(contentsOf: rest[first..<(first + size)])
            guard rest[first + size] == 13, rest[first + size + 1] == 10 else { return nil }
            rest = rest[(first + size + 2)...]
        }
    }
}
