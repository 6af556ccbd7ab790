/// What links and relays carried in one interval.
struct TrafficSample {
    struct Rates {
        let name: String
        /// Bytes a second: sent by a link; from clients to upstreams of a relay.
        let out: Double
        /// Bytes a second, the other way.
        let back: Double
        /// Of a link, in microseconds.
        let roundTrip: UInt64?
    }

    /// The end of the interval, in seconds since 1970.
    let time: Double
    let links: [Rates]
    let relays: [Rates]

    /// What happened between two looks.
    init(from before: StatusView, to now: StatusView, seconds: Double, time: Double) {
        func rate(_ before: UInt64?, _ now: UInt64) -> Double {
            guard let before, now >= before, seconds > 0 else { return 0 }
            return (Double(now - before) / seconds).rounded()
        }
        self.time = time
        links = now.links.map { link in
            let old = before.links.first { $0.name == link.name }
            return Rates(
                name: link.name, out: rate(old?.bytesSent, link.bytesSent),
                back: rate(old?.bytesReceived, link.bytesReceived), roundTrip: link.rttUs)
        }
        relays = now.relays.map { relay in
            let old = before.relays.first { $0.name == relay.name }
            return Rates(
                name: relay.name, out: rate(old?.bytesUp, relay.bytesUp), back: rate(old?.bytesDown, relay.bytesDown),
                roundTrip: nil)
        }
    }
}

extension TrafficSample: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("time", time)
        json.member("links", links)
        json.member("relays", relays)
        json.endObject()
    }
}

extension TrafficSample.Rates: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("name", name)
        json.member("out", out)
        json.member("back", back)
        if let roundTrip { json.member("rtt_us", roundTrip) }
        json.endObject()
    }
}
