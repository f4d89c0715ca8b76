import CSandbox
import Glibc
import Synchronization

/// Joins TCP connections to ports of this machine to connections into the cluster, on threads of its own (`pump.h`).
///
/// Node ports, load balancers, and on level `plain` all services go through it. `StreamForwarder` can do more, but takes longer to open a connection than the
/// connection itself takes.
package final class StreamPump: Sendable {
    /// One thread does not keep up with a server whose every connection brings a single request; the second one sleeps until the
    /// first has its hands full.
    private static let threadCount = 2

    private let lanes: [PumpLane]
    private let source: any SocketSource

    /// A port of this machine; has a number in each lane.
    package struct Listener: Sendable, Hashable {
        fileprivate let numbers: [Int32]
    }

    /// - Parameter timeout: For a backend to answer.
    package init(_ source: any SocketSource, timeout: Duration = .seconds(5)) throws(RuntimeError) {
        self.source = source
        var lanes: [PumpLane] = []
        for _ in 0..<Self.threadCount { lanes.append(try PumpLane(timeout: timeout)) }
        self.lanes = lanes
    }

    deinit { end() }

    /// Brings sockets to connect with, until the pump is ended; without it no connection gets anywhere.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for lane in lanes { group.addTask { [source] in await lane.run(source) } }
        }
    }

    /// Closes every connection and every listener.
    package func end() { for lane in lanes { lane.end() } }

    /// Accepts on a listening socket as soon as it is known where connections go; the socket is the pump's from here on.
    package func listen(on descriptor: Int32) throws(RuntimeError) -> Listener {
        guard descriptor >= 0 else { throw .system("there is no socket to listen on") }
        var numbers: [Int32] = []
        do throws(RuntimeError) {
            for lane in lanes.dropFirst() { numbers.append(try lane.listen(on: fcntl(descriptor, F_DUPFD_CLOEXEC, 0))) }
        } catch {
            for (lane, number) in zip(lanes.dropFirst(), numbers) { lane.close(number) }
            Glibc.close(descriptor)
            throw error
        }
        return Listener(numbers: [try lanes[0].listen(on: descriptor)] + numbers)
    }

    /// Sends new connections to these backends from now on: to one of them at random, and to the next if it does not answer.
    ///
    /// - Parameter affinitySeconds: For how long connections follow the last one, which is what a Service means whose clients stay
    ///   with their pod: every client on this machine has the same address. 0: not at all.
    package func lead(_ listener: Listener, to backends: [ServiceRule.Backend], affinitySeconds: Int = 0) {
        let places = backends.compactMap { source.place(of: $0.address, port: $0.port) }
        for (index, (lane, number)) in zip(lanes, listener.numbers).enumerated() {
            // Only one of them knows where the last connection went.
            lane.lead(number, to: index > 0 && affinitySeconds > 0 ? [] : places, affinitySeconds)
        }
    }

    /// Accepts no more; connections that are there go on.
    package func close(_ listener: Listener) {
        for (lane, number) in zip(lanes, listener.numbers) { lane.close(number) }
    }

    /// How many connections are open, both sides counted as one.
    package var openCount: Int { lanes.reduce(0) { $0 + $1.openCount } }
}

/// One thread of the pump.
private final class PumpLane: Sendable {
    /// Nil when it has been ended.
    private let pump: Mutex<OpaquePointer?>
    private let wishes = Wishes()

    /// How many sockets the thread has asked for.
    private final class Wishes: Sendable {
        let counts: AsyncStream<Int>
        let wish: AsyncStream<Int>.Continuation
        init() { (counts, wish) = AsyncStream<Int>.makeStream() }
    }

    init(timeout: Duration) throws(RuntimeError) {
        let parts = timeout.components
        let milliseconds = UInt32(parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000)
        // Safe: the thread ends before `wishes` does.
        let context = Unmanaged.passUnretained(wishes).toOpaque()
        let started = vs_pump_start(
            milliseconds,
            { context, count in
                guard let context else { return }
                Unmanaged<Wishes>.fromOpaque(context).takeUnretainedValue().wish.yield(Int(count))
            }, context)
        guard let started else { throw .system("there is no pump: \(String(cString: strerror(errno)))") }
        pump = Mutex(started)
    }

    deinit { end() }

    func end() {
        if let pump = pump.withLock({ $0.take() }) { vs_pump_end(pump) }
        wishes.wish.finish()
    }

    func run(_ source: any SocketSource) async {
        for await count in wishes.counts {
            // Nobody waits for ever: without sockets, those that wait are reset.
            let sockets = (try? await source.sockets(count)) ?? []
            let isTaken = pump.withLock { pump in
                if let pump { vs_pump_give(pump, sockets, UInt32(sockets.count)) }
                return pump != nil
            }
            if !isTaken { for socket in sockets { Glibc.close(socket) } }
        }
    }

    func listen(on descriptor: Int32) throws(RuntimeError) -> Int32 {
        guard descriptor >= 0 else { throw .system("no descriptor is left for a port") }
        let number = pump.withLock { pump -> Int32 in
            if let pump { return vs_pump_listen(pump, descriptor) }
            Glibc.close(descriptor)
            return -ECANCELED
        }
        guard number > 0 else { throw .system("the pump cannot listen: \(String(cString: strerror(-number)))") }
        return number
    }

    func lead(_ number: Int32, to places: [(address: IPv4Address, port: UInt16)], _ affinitySeconds: Int) {
        let bytes = places.flatMap { $0.address.bytes + [UInt8($0.port >> 8), UInt8($0.port & 255)] }
        pump.withLock { pump in
            guard let pump else { return }
            _ = vs_pump_lead(pump, number, bytes, UInt32(places.count), UInt32(clamping: affinitySeconds))
        }
    }

    func close(_ number: Int32) { pump.withLock { if let pump = $0 { vs_pump_close(pump, number) } } }

    var openCount: Int { pump.withLock { $0.map { Int(vs_pump_count($0)) } ?? 0 } }
}
