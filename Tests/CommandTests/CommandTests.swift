import Foundation
import Testing

@Suite("Commands", .timeLimit(.minutes(2))) struct CommandTests {
    @Test("the list is JSON with a version, and needs no cluster")
    func list() async throws {
        try await Program.inNewHome { program in
            let result = try await program.run("list", "--json")
            #expect(result.code == 0)
            let value = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            #expect(value?["version"] as? Int == 1)
            #expect(value?["learner"] as? String == "ana")
            #expect(try await program.run("cluster", "status").code == 1)
        }
    }

    @Test("a scene plays line by line without a terminal, takes an answer, and the play is recorded")
    func play() async throws {
        try await Program.inNewHome { program in
            let result = try await program.run("play", "--plain", input: "none\n1\n")
            #expect(result.code == 0)
            #expect(result.output.hasPrefix("== The Great Container Stampede =="))
            #expect(result.errors.contains("'none' is not a number from 1 to 3."))
            #expect(try await program.run("play", "--list").output.contains("seen"))
        }
    }

    @Test("input that ends before the scene does is said, and is no failure")
    func playToEnd() async throws {
        try await Program.inNewHome { program in
            let result = try await program.run("play", "--plain")
            #expect(result.code == 0)
            #expect(
                result.errors.contains(
                    "The input ended before the scene did.\nThe scene is not at its end; what was seen is recorded."))
        }
    }

    @Test(
        "what is not there is named, with what is",
        arguments: [
            (["check", "week99"], "There is no lab 'week99'.\nhint: There are: week06."),
            (
                ["check", "week06/phase9"],
                "There is no phase 'phase9'.\nhint: There are: phase1, phase2, phase3, validation, drill-pending, drill-service, drill-rollout."
            ),
            (["hint", "a//b"], "'a//b' is not LAB, LAB/PHASE or LAB/PHASE/CHECK.\nhint: For example: week06/phase2"),
        ])
    func unknown(arguments: [String], message: String) async throws {
        try await Program.inNewHome { program in
            let result = try await program.start(Program.velocity, arguments)
            #expect(result.code == 1)
            #expect(result.errors == "Error: \(message)\n")
        }
    }

    @Test("a scene or a page that is not there is named, with those that are")
    func unknownStory() async throws {
        try await Program.inNewHome { program in
            let scene = try await program.run("play", "w99")
            #expect(scene.code == 1)
            #expect(scene.errors.hasPrefix("Error: There is no scene 'w99'.\nhint: There are: w06-stampede, "))
            let page = try await program.run("read", "w99")
            #expect(page.code == 1)
            #expect(page.errors.hasPrefix("Error: There is no page 'w99'.\nhint: There are: w06-goals, "))
        }
    }

    @Test("a page is printed, its questions are asked, and what was answered is kept")
    func read() async throws {
        try await Program.inNewHome { program in
            let figures = try await program.run("read", "w06-metrics")
            #expect(figures.output.contains("in your cluster  not measured yet"))
            let first = try await program.run("read", "w06-retrospective", input: "\nThat it is so quiet.\n")
            #expect(first.code == 0 && first.output.contains("Kept: That it is so quiet."))
            let second = try await program.run("read", "w06-retrospective")
            #expect(
                second.output.contains("2. Which of its ideas") && second.output.contains("   That it is so quiet."))
            #expect(try await program.run("read", "map").output.contains(" 7 ○ Infrastructure Provisioning"))
        }
    }

    @Test("a scene is replayed as it happened and as it was written; one that is closed says what opens it")
    func replay() async throws {
        try await Program.inNewHome { program in
            let unseen = try await program.run("play", "w06-monday", "--as-it-happened")
            #expect(unseen.code == 1 && unseen.errors.contains("You have not seen the scene 'w06-monday' yet"))
            try await program.run("play", "w06-monday", input: "3\n")
            let again = try await program.run("play", "w06-monday", "--as-it-happened")
            #expect(again.code == 0 && again.output.contains("\n> Filip's: whoever is rung up at night"))
            let written = try await program.run("play", "w06-stampede", "--authors-cut")
            #expect(written.output.contains("\n> \"What is missing is someone"))
            #expect(
                try await program.run("play", "--list").output.contains(
                    "w06-stampede        The Great Container Stampede             new"))
            let closed = try await program.run("play", "w06-friday")
            #expect(closed.code == 1)
            #expect(
                closed.errors.contains("It opens when week06/validation has passed: velocity check week06/validation"))
        }
    }

    @Test("the shipped course has nothing to complain about")
    func lint() async throws {
        try await Program.inNewHome { program in
            let result = try await program.run("course", "lint")
            #expect(result.code == 0, "\(result.output)")
        }
    }

    @Test("a home that cannot be a folder is refused with its path and a way on")
    func badHome() async throws {
        try await Program.inNewHome { program in
            try Data().write(to: URL(fileURLWithPath: program.state))
            let result = try await program.run("list")
            #expect(result.code == 1)
            #expect(
                result.errors.contains("Error: ") && result.errors.contains(program.state)
                    && result.errors.contains("hint: "))
        }
    }

    @Test("a damaged record is kept aside and said, never overwritten")
    func damagedRecord() async throws {
        try await Program.inNewHome { program in
            try FileManager.default.createDirectory(atPath: program.state, withIntermediateDirectories: true)
            let junk = Data(String(repeating: "not a database ", count: 100).utf8)
            try junk.write(to: URL(fileURLWithPath: program.state + "/progress.sqlite"))
            let result = try await program.run("list")
            #expect(result.code == 1)
            let kept = try FileManager.default.contentsOfDirectory(atPath: program.state).filter {
                $0.hasPrefix("progress.sqlite")
            }
            let contents = kept.compactMap { FileManager.default.contents(atPath: program.state + "/" + $0) }
            #expect(contents.contains(junk), "\(result.errors)")
        }
    }

    @Test("learners are added and used by name")
    func learners() async throws {
        try await Program.inNewHome { program async throws in
            #expect(try await program.run("learner", "add", "Maja Horvat").code == 0)
            #expect(try await program.run("learner", "list").output.contains("Maja Horvat"))
            #expect(try await program.run("learner", "use", "nobody").code == 1)
        }
    }

    @Test("a submission that was edited by hand is refused")
    func editedSubmission() async throws {
        try await Program.inNewHome { program in
            let file = program.home + "/ana.json"
            _ = try await program.run("cluster", "up", "--pace", "instant", "--port", "0")
            #expect(try await program.run("check", "week06/phase2").code == 1)
            #expect(try await program.run("submit", "week06", "-o", file).code == 0)
            #expect(try await program.run("grade", "import", file).code == 0)
            #expect(try await program.run("grade", "report").output.contains("ana"))
            #expect(try await program.run("grade", "export").output.contains("ana"))
            let text = try String(contentsOfFile: file, encoding: .utf8)
            try text.replacingOccurrences(of: "failed", with: "passed").write(
                toFile: file, atomically: true, encoding: .utf8)
            #expect(try await program.run("grade", "import", file).code == 1)
        }
    }
}
