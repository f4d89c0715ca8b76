import ContainerRuntime
import NIOCore
import NIOHTTP1
import NIOPosix

/// Makes connections to backends for handlers on event loops.
final class IngressDialer: Sendable {
    private struct Job: Sendable {
        let backends: [ServiceRule.Backend]
        let eventLoop: any EventLoop
        let promise: EventLoopPromise<any Channel>
    }

    private let datapath: any NetworkDatapath
    private let source: String
    private let jobs: AsyncStream<Job>
    private let newJobs: AsyncStream<Job>.Continuation

    /// - Parameter source: The address that pods see.
    init(datapath: any NetworkDatapath, source: String) {
        self.datapath = datapath
        self.source = source
        (jobs, newJobs) = AsyncStream<Job>.makeStream()
    }

    /// Connects to the first of the backends that answers; the channel is on `eventLoop`.
    func dial(_ backends: [ServiceRule.Backend], on eventLoop: any EventLoop) -> EventLoopFuture<any Channel> {
        let promise = eventLoop.makePromise(of: (any Channel).self)
        if case .enqueued = newJobs.yield(Job(backends: backends, eventLoop: eventLoop, promise: promise)) {
        } else {
            promise.fail(ConnectError.unreachable)
        }
        return promise.futureResult
    }

    /// Works until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await job in jobs { group.addTask { await self.work(job) } }
        }
        newJobs.finish()
    }

    private func work(_ job: Job) async {
        var last = ConnectError.refused
        for backend in job.backends {
            do throws(ConnectError) {
                let descriptor = try await datapath.connect(
                    address: backend.address, port: backend.port, from: source, timeout: .seconds(5))
                job.promise.completeWith(Self.adopt(descriptor, on: job.eventLoop))
                return
            } catch {
                last = error
            }
        }
        job.promise.fail(last)
    }

    private static func adopt(_ descriptor: Int32, on eventLoop: any EventLoop) -> EventLoopFuture<any Channel> {
        guard descriptor >= 0 else { return eventLoop.makeFailedFuture(ConnectError.unreachable) }
        return ClientBootstrap(group: eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        IdleStateHandler(allTimeout: .seconds(60)), HTTPRequestEncoder(),
                        ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes)),
                        IngressBackHandler())
                }
            }
            .withConnectedSocket(descriptor)
    }
}
