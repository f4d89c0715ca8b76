import Glibc
import Synchronization

/// The layers that the containers of this process use; while they are held, no collector takes them away.
final class LayerHolds: Sendable {
    private struct Hold {
        var lock: Int32
        var users: Int
    }
    private let holds = Mutex<[Digest: Hold]>([:])

    /// Holds all layers or none; false when one is not there.
    func hold(_ layers: [Digest], of store: ImageStore) -> Bool {
        holds.withLock { holds in
            for (index, layer) in layers.enumerated() {
                if holds[layer] != nil {
                    holds[layer]?.users += 1
                } else if let lock = store.hold(layer) {
                    holds[layer] = Hold(lock: lock, users: 1)
                } else {
                    Self.release(Array(layers[..<index]), &holds)
                    return false
                }
            }
            return true
        }
    }

    func release(_ layers: [Digest]) { holds.withLock { Self.release(layers, &$0) } }

    private static func release(_ layers: [Digest], _ holds: inout [Digest: Hold]) {
        for layer in layers {
            guard let hold = holds[layer] else { continue }
            if hold.users == 1 {
                close(hold.lock)
                holds[layer] = nil
            } else {
                holds[layer]?.users -= 1
            }
        }
    }

    deinit { holds.withLock { for hold in $0.values { close(hold.lock) } } }
}
