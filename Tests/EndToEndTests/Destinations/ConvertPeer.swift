import Lab

/// RFC 8803 in Python, straight from the specification's tables: an independent client, and a converter that answers what it
/// is told. Shares no code with Braid.
enum ConvertPeer {
    /// What both begin with.
    private static let library = """
        import base64, errno, hashlib, hmac, os, socket, struct, sys, time
        def tlv(kind, body):
            body = bytes(body)
            body += bytes(-(len(body) + 2) % 4)
            return bytes([kind, (len(body) + 2) // 4]) + body
        def message(*tlvs, version=1, magic=0x2263):
            all = b"".join(tlvs)
            return struct.pack(">BBH", version, len(all) // 4 + 1, magic) + all
        def connect(host, port, options=b""):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            address = socket.inet_pton(family, host)
            if len(address) == 4: address = bytes(10) + b"\\xff\\xff" + address
            return tlv(10, struct.pack(">H", port) + address + options)
        def prove(key, *tlvs, at=None, random=None, code=None):
            at = int(time.time() * 1000) if at is None else at
            random = os.urandom(12) if random is None else random
            cookie = struct.pack(">HBBIQ", 0, 1, 0, 0, at) + random
            zero = message(*tlvs, tlv(22, cookie + bytes(32)))
            code = hmac.new(key, b"braid convert 1" + zero, hashlib.sha256).digest() if code is None else code
            return message(*tlvs, tlv(22, cookie + code))
        def error(code, value): return message(tlv(30, bytes([code]) + bytes(value)))
        def exactly(s, n):
            data = b""
            while len(data) < n:
                part = s.recv(n - len(data))
                if not part: raise EOFError(data.hex())
                data += part
            return data
        def read_message(s):
            head = exactly(s, 4)
            return head + exactly(s, head[1] * 4 - 4)
        """

    /// Asks the far end at 127.0.0.1:7143. `program` uses `ask(bytes)`: what comes back until the end, `reset` when that is
    /// a reset; and `show(name, bytes, answer)`: whether exactly that comes back, and then an end in order.
    static func client(_ program: String, _ arguments: String..., in host: Host) throws -> [String] {
        let code =
            library + """

                def dial(source=None):
                    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
                    s.settimeout(10)
                    if source: s.bind((source, 0))
                    s.connect(("127.0.0.1", 7143))
                    return s
                def ask(sent, source=None):
                    s = dial(source)
                    s.sendall(sent)
                    data = b""
                    try:
                        while part := s.recv(65536): data += part
                    except ConnectionResetError: return data.hex() + " reset"
                    return data.hex()
                def show(name, sent, expected):
                    answer = ask(sent)
                    print(name, "ok" if answer == expected.hex() else f"{answer} and not {expected.hex()}")

                """ + program
        let output = try host.run(["python3", "-uc", code] + arguments, timeout: .seconds(60))
        return output.standardOutput.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(
            String.init)
    }

    /// A converter at 127.0.0.1:7143 that takes each of `answers` (hexadecimal) in turn, prints the request it got, sends the
    /// answer and then, if that is a success, echoes.
    static func server(_ answers: [String], in host: Host) async throws -> HostProcess {
        let code =
            library + """

                l = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
                l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                l.bind(("127.0.0.1", 7143)); l.listen(16)
                for answer in sys.argv[1:]:
                    s = l.accept()[0]
                    s.settimeout(10)
                    print("request", read_message(s).hex())
                    try:
                        # In two pieces.
                        answer = bytes.fromhex(answer)
                        s.sendall(answer[:2]); time.sleep(0.01); s.sendall(answer[2:])
                        while part := s.recv(65536):
                            print("data", part.hex())
                            s.sendall(part)
                        print("end")
                    except (ConnectionResetError, BrokenPipeError): print("reset")
                    s.close()

                """
        let process = try host.spawn(["python3", "-uc", code] + answers)
        try await host.waitForListener(port: 7143, of: process)
        return process
    }
}
