import LinuxSystem
import SystemPackage
import Testing
import TestNamespace

@Suite("Netlink messages")
struct NetlinkMessageTests {
    /// Two endpoints of a real dump.
    static let dump = hex(
        """
        48000000 1c00 0200 07000000 fe3f0000    # 72 bytes, type 28, multi, sequence 7
          03 01 0000                            # genlmsghdr: command 3, version 1
          3400 0180                             # nested 1, 52 bytes
            0600 0100 0200 0000                 #   family AF_INET
            0600 0500 0000 0000                 #   port 0
            0500 0200 03 000000                 #   id 3
            0800 0600 06000000                  #   flags
            0800 0700 01000000                  #   interface
            0800 0300 7f000002                  #   127.0.0.2
        14000000 0300 0200 07000000 fe3f0000    # 20 bytes, NLMSG_DONE
          00000000
        """)

    /// A real refusal.
    static let refusal = hex(
        """
        54000000 0200 0002 07000000 fe3f0000    # 84 bytes, NLMSG_ERROR, NLM_F_ACK_TLVS
          eaffffff                              # -22
          20000000 1c00 0500 07000000 00000000  # the request's header, 32 bytes
            02 01 0000                          # and payload
            0c00 0180 0500 0200 63 000000
          1600 0100 61646472657373206e6f7420666f756e6400 0000  # NLMSGERR_ATTR_MSG, "address not found"
          0800 0200 14000000                    # NLMSGERR_ATTR_OFFS 20
        """)

    @Test("a dump of two messages")
    func messages() throws {
        let messages = try NetlinkMessage.all(in: Self.dump.span)
        #expect(messages.map(\.type) == [28, NetlinkMessage.Kind.done])
        #expect(messages.map(\.sequence) == [7, 7])
        #expect(messages[0].flags == .multi)
        #expect(messages[0].payload.count == 56)
        let payload = messages[0].payload
        let bytes = payload.span
        var attributes = try NetlinkAttributes(after: 4, in: bytes)
        let nested = try #require(try attributes.next(in: bytes))
        #expect(nested.type == 1)
        #expect(try attributes.next(in: bytes) == nil)
        var parts = NetlinkAttributes(nestedIn: nested)
        var types: [UInt16] = []
        while let part = try parts.next(in: bytes) {
            types.append(part.type)
            if part.type == 2 { #expect(try part.uint8(in: bytes) == 3) }
            if part.type == 3 { #expect(try part.address(in: bytes).host == "127.0.0.2") }
            if part.type == 6 { #expect(try part.uint32(in: bytes) == 6) }
        }
        #expect(types == [1, 5, 2, 6, 7, 3])
    }

    @Test("a refusal with the kernel's explanation; capped; without; an acknowledgement")
    func refusals() throws {
        var message = try #require(try NetlinkMessage.all(in: Self.refusal.span).first)
        var acknowledgement = try NetlinkAcknowledgement(message)
        #expect(acknowledgement.errno == .invalidArgument)
        #expect(acknowledgement.explanation == "address not found")

        message.payload.removeSubrange(20..<36)
        message.flags.insert(.capped)
        acknowledgement = try NetlinkAcknowledgement(message)
        #expect(acknowledgement.explanation == "address not found")

        message.flags = []
        #expect(try NetlinkAcknowledgement(message).explanation == nil)
        message.payload = [0, 0, 0, 0]
        #expect(try NetlinkAcknowledgement(message).errno == nil)
        message.payload = [0, 0, 0]
        #expect(throws: NetlinkSyntaxError.self) { try NetlinkAcknowledgement(message) }
        message.type = NetlinkMessage.Kind.done
        #expect(try NetlinkAcknowledgement(message).errno == nil)
    }

    @Test("a request as the kernel wants it")
    func request() {
        var request = NetlinkRequest(family: 28, command: 1, flags: .acknowledge)
        request.add(nested: 1) { part in
            part.add(1, UInt16(2))
            part.add(2, UInt8(3))
            part.add(6, UInt32(0x0102_0304))
            part.add(9, text: "lo")
        }
        #expect(
            request.message(sequence: 5)
                == hex(
                    """
                    38000000 1c00 0500 05000000 00000000  # 56 bytes, type 28, REQUEST|ACK, sequence 5
                      01 01 0000                          # genlmsghdr
                      2400 0180                           # 36 bytes, NLA_F_NESTED
                        0600 0100 0200 0000
                        0500 0200 03 000000
                        0800 0600 04030201
                        0700 0900 6c6f00 00
                    """))
    }

    @Test("cut off anywhere it is truncated, never wrong or read beyond", arguments: [dump, refusal])
    func truncation(bytes: [UInt8]) throws {
        for count in 0..<bytes.count {
            let cut = Array(bytes[..<count])
            do {
                let messages = try NetlinkMessage.all(in: cut.span)
                #expect(count == 0 || count == 72, "whole messages only: \(messages)")
            } catch {
                guard case .truncated = error else {
                    Issue.record("\(error) at \(count)")
                    continue
                }
            }
        }
    }

    @Test("an attribute cut off anywhere is truncated")
    func attributeTruncation() throws {
        let payload = Array(Self.dump[16..<72])
        for count in 0..<payload.count {
            let cut = Array(payload[..<count])
            do {
                var attributes = try NetlinkAttributes(after: 4, in: cut.span)
                let attribute = try attributes.next(in: cut.span)
                #expect(attribute == nil && count == 4)
            } catch {
                guard case .truncated = error else {
                    Issue.record("\(error) at \(count)")
                    continue
                }
            }
        }
        // A range that reaches beyond the bytes is truncated as well.
        var beyond = NetlinkAttributes(0..<100)
        let four = hex("0400 0100")
        #expect(try beyond.next(in: four.span)?.value.isEmpty == true)
        #expect(throws: NetlinkSyntaxError.self) { try beyond.next(in: four.span) }
    }

    @Test("lengths that cannot be")
    func malformed() {
        let short = hex("0f000000 1c00 0000 00000000 00000000")
        #expect(throws: NetlinkSyntaxError.malformed(offset: 0, "a message shorter than its header")) {
            try NetlinkMessage.all(in: short.span)
        }
        let attribute = hex("0300 0100")
        var attributes = NetlinkAttributes(0..<4)
        #expect(throws: NetlinkSyntaxError.malformed(offset: 0, "an attribute shorter than its header")) {
            try attributes.next(in: attribute.span)
        }
        let value = NetlinkAttribute(type: 1, value: 4..<4)
        #expect(throws: NetlinkSyntaxError.self) { try value.uint8(in: attribute.span) }
        #expect(throws: NetlinkSyntaxError.self) { try value.address(in: attribute.span) }
    }

    @Test("random changes are answered by values or errors, always in the end")
    func mutations() {
        var mutations = Mutations(seed: 1)
        for _ in 0..<20_000 {
            for original in [Self.dump, Self.refusal] {
                let bytes = mutations.mutate(original)
                guard let messages = try? NetlinkMessage.all(in: bytes.span) else { continue }
                for message in messages {
                    _ = try? NetlinkAcknowledgement(message)
                    _ = try? NetlinkFamily(message.payload.span)
                }
            }
        }
    }
}
