import Lab
import Testing

extension EndToEndSuite {
    /// Redis, as it is, over Braid.
    @Suite(.serialized) struct RedisTests {
        private static let port: UInt16 = 6379

        @Test func valuesPipelinesMessagesAndManyClients() async throws {
            try await TwoEnds.with(ports: [Self.port]) { ends in
                let server = try ends.far.spawn([
                    try Application.redisServer.path, "--port", "\(Self.port)", "--bind", "127.0.0.1", "--save", "",
                    "--dir", ends.directory.path,
                ])
                try await ends.far.waitForListener(port: Self.port, of: server)
                let client = try Application.redisClient.path
                func redis(_ arguments: String..., at host: Host? = nil) throws -> String {
                    try (host ?? ends.near).run([client] + arguments).standardOutput
                }

                // A large value, binary; redis-cli adds a line's end to what it prints.
                let file = try ends.randomFile("value", bytes: 2_000_000)
                let copy = ends.directory.file("copy")
                #expect(try ends.near.run("sh", "-c", "\(client) -x SET blob < \(file)").standardOutput == "OK\n")
                try ends.near.run("sh", "-c", "\(client) --raw GET blob | head -c -1 > \(copy)")
                try ends.expectSame(file, copy)

                // Many commands in flight at once.
                let pipeline = "seq 1 10000 | sed 's/.*/SET key& value&\\r/' | \(client) --pipe"
                let piped = try ends.near.run("sh", "-c", pipeline).standardOutput
                #expect(piped.contains("errors: 0, replies: 10000"), "\(piped)")
                #expect(try redis("GET", "key7777") == "value7777\n")
                #expect(try redis("DBSIZE") == "10001\n")
                #expect(try redis("DBSIZE", at: ends.far) == "10001\n")

                // The server speaks first.
                let subscriber = try ends.near.spawn([client, "--raw", "SUBSCRIBE", "news"])
                try await subscriber.line(containing: "1")
                for number in 1...20 {
                    #expect(try redis("PUBLISH", "news", "item \(number)") == "1\n")
                    try await subscriber.line(matching: try Regex("^item \(number)$"))
                }
                subscriber.terminate()

                let benchmark = try ends.near.run([
                    try Application.redisBenchmark.path, "-p", "\(Self.port)", "-n", "3000", "-c", "30", "-r", "100000",
                    "-t", "incr,get", "--csv",
                ]).standardOutput
                #expect(benchmark.contains("\"INCR\""), "\(benchmark)")
                #expect(try redis("GET", "key7777") == "value7777\n")
                // Each of the increments has arrived, and once.
                let script = """
                    local sum = 0
                    for _, key in ipairs(redis.call('KEYS', 'counter:*')) do sum = sum + redis.call('GET', key) end
                    return sum
                    """
                #expect(try redis("EVAL", script, "0") == "3000\n")
                for record in try await ends.farBraid.connections(60, relay: "\(Self.port)") {
                    #expect(record["multipath"] == "yes", "\(record)")
                }
            }
        }
    }
}
