import Glibc
import Synchronization

/// An HTTP/1.1 server: `poll` on one thread over the listener, the connections and two pipes, and a few threads for work that waits.
///
/// It stops as a pod must, so that nobody who is sent here is lost: when SIGTERM comes, the pod is only about to be taken out of its
/// Services, so it goes on accepting until nothing new has come for a while, tells every client that its connection ends, and
/// leaves when the last answer is out.
final class HTTPServer {
    /// Nothing new for so long: the pod is out of its Services' endpoints.
    private static let quietMilliseconds = 500
    /// Whoever still comes after this long is not told of by Services.
    private static let drainMillisecondsMax = 10_000
    /// A client that does not take its answer is not waited for any longer.
    private static let patienceMilliseconds = 20_000

    private let listener: Listener
    private let workers: WorkerThreads
    private let finished = Finished()
    private var connections: [Int32: Connection] = [:]
    private var serial = 0
    private var stop = Stop()

    private struct Connection {
        let serial: Int
        let remoteAddress: String
        var input = HTTPInput()
        var output: [UInt8] = []
        var isClosing = false
        /// A thread works on the answer.
        var isWaiting = false
        var isIdle: Bool { output.isEmpty && !isWaiting && input.bytes.isEmpty }
    }

    private struct Stop {
        var begun: Int?
        var lastArrival = 0
        var isListening = true
    }

    /// Answers that threads have made.
    private final class Finished: Sendable {
        struct Answer: Sendable {
            var descriptor: Int32
            var serial: Int
            var bytes: [UInt8]
        }
        private let answers = Mutex<[Answer]>([])
        let pipe = Pipe()

        func add(_ answer: Answer) {
            answers.withLock { $0.append(answer) }
            pipe.put()
        }

        func take() -> [Answer] {
            var bytes = [UInt8](repeating: 0, count: 512)
            _ = read(pipe.read, &bytes, bytes.count)
            return answers.withLock { answers in
                defer { answers = [] }
                return answers
            }
        }
    }

    /// - Parameter threads: How many requests may wait for a database at a time.
    init(port: UInt16, threads: Int) throws(SocketError) {
        listener = try Listener(port: port)
        workers = WorkerThreads(count: threads)
    }

    var port: UInt16 { listener.port }

    private var isStopping: Bool { stop.begun != nil }

    /// Serves until SIGTERM or SIGINT, then answers what is asked on the way out, and returns.
    ///
    /// - Parameters:
    ///   - log: Told of each answer, with the milliseconds it took; called on any thread.
    ///   - onStop: Called once when the signal has come.
    func serve(
        _ answer: (HTTPRequest) -> HTTPAnswer, log: @escaping @Sendable (HTTPRequest, HTTPResponse, Int) -> Void,
        onStop: () -> Void = {}
    ) {
        signal(SIGPIPE, SIG_IGN)
        while stop.isListening || !connections.isEmpty {
            var watched = watchedDescriptors
            guard poll(&watched, nfds_t(watched.count), untilNextDeadline) >= 0 else { continue }
            for ready in watched where ready.revents != 0 {
                switch ready.fd {
                case StopSignal.pipe.read:
                    _ = StopSignal.pipe.take()
                    guard !isStopping else { continue }
                    stop.begun = Moment.steady
                    onStop()
                case finished.pipe.read: deliver(answer, log)
                case listener.descriptor: acceptAll()
                default: advance(ready.fd, answer, log)
                }
            }
            if !passDeadlines() { return }
        }
    }

    private var watchedDescriptors: [pollfd] {
        var watched = [StopSignal.pipe.read, finished.pipe.read].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        if stop.isListening { watched.append(pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0)) }
        // One whose answer is being made is left alone: what its client does meanwhile changes nothing.
        for (descriptor, connection) in connections where !connection.isWaiting {
            let wanted = connection.output.isEmpty ? POLLIN : POLLOUT
            watched.append(pollfd(fd: descriptor, events: Int16(wanted), revents: 0))
        }
        return watched
    }

    // MARK: Stopping

    private var closingTime: Int? {
        stop.begun.map { min(max($0, stop.lastArrival) + Self.quietMilliseconds, $0 + Self.drainMillisecondsMax) }
    }

    private var untilNextDeadline: Int32 {
        guard let begun = stop.begun, let closingTime else { return -1 }
        let deadline = stop.isListening ? closingTime : begun + Self.patienceMilliseconds
        return Int32(max(0, deadline - Moment.steady))
    }

    /// False when it is time to leave whoever is still connected.
    private func passDeadlines() -> Bool {
        guard let begun = stop.begun, let closingTime else { return true }
        let now = Moment.steady
        if stop.isListening, now >= closingTime {
            acceptAll()
            close(listener.descriptor)
            stop.isListening = false
        }
        if !stop.isListening {
            for (descriptor, connection) in connections where connection.isIdle && !hasInput(descriptor) {
                drop(descriptor)
            }
        }
        return now < begun + Self.patienceMilliseconds
    }

    private func hasInput(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) > 0
    }

    private func drop(_ descriptor: Int32) {
        close(descriptor)
        connections[descriptor] = nil
    }

    // MARK: Connections

    private func acceptAll() {
        while let (descriptor, remote) = listener.accept() {
            serial += 1
            stop.lastArrival = Moment.steady
            connections[descriptor] = Connection(serial: serial, remoteAddress: remote)
        }
    }

    private typealias Log = @Sendable (HTTPRequest, HTTPResponse, Int) -> Void

    private func deliver(_ answer: (HTTPRequest) -> HTTPAnswer, _ log: @escaping Log) {
        for made in finished.take() {
            guard connections[made.descriptor]?.serial == made.serial else { continue }
            connections[made.descriptor]?.isWaiting = false
            connections[made.descriptor]?.output = made.bytes
            advance(made.descriptor, answer, log)
        }
    }

    private func advance(_ descriptor: Int32, _ answer: (HTTPRequest) -> HTTPAnswer, _ log: @escaping Log) {
        guard var connection = connections[descriptor] else { return }
        if connection.output.isEmpty {
            var chunk = [UInt8](repeating: 0, count: 16 * 1024)
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else {
                if count < 0, errno == EAGAIN || errno == EINTR { return }
                return drop(descriptor)
            }
            connection.input.bytes.append(contentsOf: chunk[..<count])
        }
        // A client may have sent several requests at once: answer until the input or the socket's room is used up.
        repeat {
            if connection.output.isEmpty { respond(&connection, descriptor, answer, log) }
            guard !connection.output.isEmpty else { break }
            let count = write(descriptor, connection.output, connection.output.count)
            if count < 0, errno != EAGAIN, errno != EINTR { return drop(descriptor) }
            connection.output.removeFirst(max(0, count))
            if connection.output.isEmpty, connection.isClosing { return drop(descriptor) }
        } while connection.output.isEmpty
        connections[descriptor] = connection
    }

    /// Answers the first whole request of the input, if there is one.
    private func respond(
        _ connection: inout Connection, _ descriptor: Int32, _ answer: (HTTPRequest) -> HTTPAnswer,
        _ log: @escaping Log
    ) {
        let goOn = {
            let line = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
            _ = write(descriptor, line, line.count)
        }
        switch connection.input.take(from: connection.remoteAddress, goOn: goOn) {
        case .incomplete: break
        case .bad(let refusal):
            let request = HTTPRequest(method: "GET", path: "", remoteAddress: "", keepsAlive: false)
            connection.output = refusal.bytes(for: request)
            connection.isClosing = true
        case .request(var request):
            request.keepsAlive = request.keepsAlive && !isStopping
            connection.isClosing = !request.keepsAlive
            let begun = Moment.steady
            switch answer(request) {
            case .now(let response):
                log(request, response, Moment.steady - begun)
                connection.output = response.bytes(for: request)
            case .later(let work):
                connection.isWaiting = true
                let (finished, serial, request) = (finished, connection.serial, request)
                workers.perform {
                    let response = work()
                    log(request, response, Moment.steady - begun)
                    finished.add(
                        Finished.Answer(descriptor: descriptor, serial: serial, bytes: response.bytes(for: request)))
                }
            }
        }
    }
}
