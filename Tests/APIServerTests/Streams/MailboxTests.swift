import Testing

@testable import APIServer

@Suite("Mailbox", .timeLimit(.minutes(5))) struct MailboxTests {
    @Test("a sender waits until the receiver has made room")
    func backPressure() async {
        let mailbox = Mailbox<Int>(costMax: 3)
        let sent = Mailbox<Int>(costMax: 100)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<6 {
                    await mailbox.send(number)
                    await sent.send(number)
                }
                mailbox.finish()
                sent.finish()
            }
            // Two are in without a wait; the third fills it.
            #expect(await sent.next() == 0)
            #expect(await sent.next() == 1)
            var received: [Int] = []
            while let number = await mailbox.next() { received.append(number) }
            #expect(received == [0, 1, 2, 3, 4, 5])
        }
    }

    @Test("nobody waits for one who has left")
    func leaving() async {
        let mailbox = Mailbox<Int>(costMax: 1)
        await withTaskGroup(of: Int?.self) { group in
            group.addTask {
                await mailbox.send(1)
                await mailbox.send(2)
                return -1
            }
            mailbox.close()
            #expect(await group.next() == -1)
        }
        #expect(await mailbox.next() == nil)
        let empty = Mailbox<Int>(costMax: 1)
        await withTaskGroup(of: Int?.self) { group in
            group.addTask { await empty.next() }
            group.cancelAll()
            #expect(await group.next() == .some(nil))
        }
    }

    @Test("what waits at the end is still handed out")
    func finishing() async {
        let mailbox = Mailbox<Int>(costMax: 10)
        await mailbox.send(1)
        mailbox.finish()
        await mailbox.send(2)
        #expect(await mailbox.next() == 1)
        #expect(await mailbox.next() == nil)
    }
}
