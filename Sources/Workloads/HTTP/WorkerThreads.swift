import Glibc
import Synchronization

/// A few threads for work that waits: for a database, or for a processor.
final class WorkerThreads: Sendable {
    typealias Job = @Sendable () -> Void

    private let jobs = Mutex<[Job]>([])
    /// One byte a job: a thread that reads one has a job to do.
    private let tokens = Pipe()

    init(count: Int) {
        for _ in 0..<count { Self.start { [self] in work() } }
    }

    func perform(_ job: @escaping Job) {
        jobs.withLock { $0.append(job) }
        tokens.put()
    }

    private func work() {
        while tokens.take() { jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }?() }
    }

    private final class Body {
        let run: Job
        init(_ run: @escaping Job) { self.run = run }
    }

    /// Starts a thread that nobody waits for.
    static func start(_ run: @escaping Job) {
        let body = Unmanaged.passRetained(Body(run))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { pointer in
                if let pointer { Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run() }
                return nil
            }, body.toOpaque())
        precondition(failure == 0, "a thread cannot be started: errno \(failure)")
        pthread_detach(thread)
    }
}
