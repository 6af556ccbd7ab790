internal import BasicContainers
internal import CLinux
internal import LinuxSystem
internal import SystemPackage
internal import Wire

/// Clients that netfilter sent here: where they wanted to go.
extension EventLoop {
    /// REDIRECT keeps the destination in the kernel's connection tracking (SO_ORIGINAL_DST); with TPROXY it is the socket's own
    /// local address.
    mutating func takeOriginalDestination(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        guard let raw = connections.slots[Int(slot)]?.client.raw else { return }
        var c = linux_address()
        guard unsafe linux_original_destination(raw, &c) == 0, let endpoint = SocketAddress(c).endpoint else {
            return refuse(slot, "it has no original destination")
        }
        let destination = Destination(.address(endpoint.address), port: endpoint.port)
        // Nobody redirected it: it would be led back here.
        guard !relays[relay].plan.handshake.destinations.isOwnListener(endpoint) else {
            connections.slots[Int(slot)]?.notes = ConnectionNotes(destination: destination.description)
            return refuse(slot, "it came here by itself and was not redirected")
        }
        choose(slot, relay, handshake, destination)
    }
}
