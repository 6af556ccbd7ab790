import FoundationEssentials
import Lab
import Testing

extension EndToEndSuite {
    /// Minutes of random traffic while links fail, come back and change; every byte is checked.
    @Suite(.serialized) struct SoakTests {
        /// As users have it, with `paths.manage` at both ends; and with endpoints that stay as they are, where no fault that
        /// is this short makes the kernel give up a subflow.
        @Test(.enabled(if: Soak.isWanted, "set BRAID_SOAK=1"), .timeLimit(.minutes(60)), arguments: [true, false])
        func randomTrafficOverFailingLinks(isManaged: Bool) async throws {
            let seed = UInt64.random(in: 1...UInt64.max)
            print("soak: seed \(seed)")
            var random = SeededGenerator(state: seed)
            try await TwoEnds.with(
                ports: [7000], rate: .mbit(40), delay: .milliseconds(10), keys: "connect-timeout = \"60s\"",
                isManaged: isManaged
            ) { ends in
                let python = try Application.python.path
                let server = try ends.far.spawn([python, "-uc", Self.server])
                try await ends.far.waitForListener(port: 7000, of: server)
                // As the project's sysctl.d file has it: a lost SYN is no reason to give up on MPTCP.
                for host in [ends.near, ends.far] {
                    try host.sysctl("net.mptcp.blackhole_timeout", "0")
                    try host.sysctl("net.mptcp.syn_retrans_before_tcp_fallback", "255")
                }
                let before = try [ends.nearBraid, ends.farBraid].map { try $0.openSockets() }
                let client = try ends.near.spawn(
                    [python, "-uc", Self.client, "\(Soak.duration.components.seconds)", "\(seed % 1_000_000)"])
                while client.isRunning {
                    let faulty = Int.random(in: 0..<2, using: &random)
                    let what = try disturb(ends.links[faulty], using: &random)
                    let lasts = Duration.milliseconds(Int.random(in: 100...4000, using: &random))
                    print("soak: \(ends.links[faulty].name): \(what) for \(lasts)")
                    try await Task.sleep(for: lasts)
                    try repair(ends.links[faulty])
                    try await Task.sleep(for: .milliseconds(Int.random(in: 500...3000, using: &random)))
                }
                let output = try await client.finish()
                print("soak: \(output.standardOutput)")
                #expect(output.status == .exited(0), "seed \(seed): \(output.standardError)")
                #expect(server.lines == [])
                try await eventually("every socket is closed", within: .seconds(90)) {
                    try [ends.nearBraid, ends.farBraid].map { try $0.openSockets() } == before
                }
                let records = ends.farBraid.records("connection-ended")
                let odd = (records + ends.nearBraid.records("connection-ended")).filter {
                    $0["multipath"] != "yes" || $0.result != "closed"
                }
                #expect(odd.isEmpty, "\(odd.count) of \(records.count) connections, such as \(odd.prefix(3))")
                #expect(records.contains { $0.number("subflows") == 2 })
            }
        }

        /// Does one of the things that happen to links.
        private func disturb(_ link: Link, using random: inout SeededGenerator) throws -> String {
            switch Int.random(in: 0..<5, using: &random) {
            case 0:
                try link.carrier(down: true)
                return "carrier lost"
            case 1:
                link.blackhole(true)
                return "blackhole"
            case 2:
                let direction = LinkDirection.allCases.randomElement(using: &random) ?? .both
                link.blackhole(true, direction: direction)
                return "blackhole \(direction.rawValue)"
            case 3:
                link.set(loss: 0.05)
                return "5 % loss"
            default:
                link.set(rate: .mbit(4), delay: .milliseconds(80))
                return "4 Mbit/s, 80 ms"
            }
        }

        private func repair(_ link: Link) throws {
            link.blackhole(false)
            link.set(rate: .mbit(40), delay: .milliseconds(10), loss: 0)
            if link.isCut { try link.carrier(down: false) }
        }

        /// A request is a length, a seed and how long the answer is to be; the request's body and the answer
        /// are what the seed gives.
        private static let server = """
            import asyncio, random, struct
            async def serve(reader, writer):
                try:
                    while True:
                        size, seed, wanted = struct.unpack("!III", await reader.readexactly(12))
                        body = await reader.readexactly(size)
                        if body != random.Random(seed).randbytes(size): return writer.transport.abort()
                        writer.write(random.Random(seed + 1).randbytes(wanted))
                        await writer.drain()
                except asyncio.IncompleteReadError as error:
                    assert not error.partial
                finally: writer.close()
            async def main():
                server = await asyncio.start_server(serve, "127.0.0.1", 7000, limit=1 << 22)
                await server.serve_forever()
            asyncio.run(main())
            """

        /// Twenty clients, each with one connection after the other, each with some requests of random sizes.
        private static let client = """
            import asyncio, random, struct, sys, time
            end, seed = time.monotonic() + float(sys.argv[1]), int(sys.argv[2])
            done = {"connections": 0, "requests": 0, "bytes": 0, "longest": 0.0}
            async def client(number):
                source = random.Random(seed * 100 + number)
                while time.monotonic() < end:
                    reader, writer = await asyncio.open_connection("127.0.0.1", 7000, limit=1 << 22)
                    for _ in range(source.randrange(1, 30)):
                        size, wanted = (source.choice([0, 1, 100, 100, 5000, 70000, 300000, 1500000]) for _ in range(2))
                        key = source.randrange(1 << 31)
                        start = time.monotonic()
                        writer.write(struct.pack("!III", size, key, wanted) + random.Random(key).randbytes(size))
                        await writer.drain()
                        answer = await asyncio.wait_for(reader.readexactly(wanted), 120)
                        assert answer == random.Random(key + 1).randbytes(wanted), "other bytes came than were sent"
                        done["requests"] += 1
                        done["bytes"] += size + wanted
                        done["longest"] = max(done["longest"], time.monotonic() - start)
                        if source.random() < 0.3: await asyncio.sleep(source.random())
                        if time.monotonic() >= end: break
                    writer.write_eof()
                    assert await reader.read(1) == b"", "more came than was asked for"
                    writer.close()
                    done["connections"] += 1
            async def main():
                await asyncio.gather(*(client(number) for number in range(20)))
                print(", ".join(f"{name} {value}" for name, value in done.items()))
            asyncio.run(main())
            """
    }
}

extension BraidProcess {
    /// How many sockets it has open. Pipes do not count: some are kept for the next stream.
    fileprivate func openSockets() throws -> Int {
        let directory = "/proc/\(pid)/fd"
        return try FileManager.default.contentsOfDirectory(atPath: directory).filter { name in
            // One that is closed in the meantime is none.
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\(name)")
            return target?.hasPrefix("socket:") == true
        }.count
    }
}

/// Random numbers that a seed decides (SplitMix64), so that a failure can be looked at again.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
