import CourseModel
import Testing

@testable import Checkers

@Suite("Command script", .timeLimit(.minutes(5)))
struct CommandScriptTests {
    private static func result(_ output: String) -> SolutionRunner.ShellResult {
        SolutionRunner.ShellResult(output: output, exitCode: 0)
    }

    @Test("a command that ends and prints as it should proves itself; another names what it lacks")
    func problems() {
        let script = CommandScript([
            Command(run: "one", prints: ["red"]), Command(run: "two", prints: ["blue"]),
            Command(run: "three", ending: .failure), Command(run: "four", ending: .interrupt),
            Command(run: "five", needs: "minikube"), Command(run: "six"),
        ])
        let output = """
            @@velocitylab 0 0
            a red one
            @@velocitylab 1 1
            green
            @@velocitylab 2 1
            @@velocitylab 3 0
            @@velocitylab 4 missing
            """
        #expect(
            script.problems(Self.result(output)) == [
                "'two' ended with 1: green", "'two' should print 'blue': green", "'four' ended with 0: ",
                "'six' did not run: \(output.split(separator: "\n").joined(separator: " | "))",
            ])
    }

    @Test("what ends with Ctrl-C only is interrupted, and an edited file is written before its command")
    func text() {
        let file = LabFile(name: "a.yaml", text: "kind: Pod")
        let text = CommandScript([Command(run: "watch", ending: .interrupt), Command(run: "apply", edited: file)]).text
        #expect(text.contains("timeout --foreground -s INT -k 5 1.5 watch"))
        #expect(text.contains("cat > 'a.yaml' <<'VELOCITYLAB-EDITED'\nkind: Pod\nVELOCITYLAB-EDITED\n{\napply\n}"))
    }

    @Test(
        "commands in hints are those between quotes; what would change something becomes a dry run",
        arguments: [
            ("See 'kubectl get pods'.", "timeout 5 kubectl get pods || [ $? = 124 ]"),
            ("Try 'curl -v http://localhost:30080/'.", "curl -v http://localhost:30080/ --max-time 3; [ $? != 2 ]"),
        ])
    func hints(text: String, command: String) {
        #expect(HintCommands.find(in: [text, text], namespace: "n").map(\.run).last == command)
        #expect(HintCommands.find(in: [text, text], namespace: "n").count == 2)
    }

    @Test("names in quotes are no commands, and 'kubectl delete' is only tried")
    func dryRun() {
        #expect(HintCommands.find(in: ["There is no Pod 'web'."], namespace: "n").isEmpty)
        let commands = HintCommands.find(in: ["Then 'kubectl delete pod web'."], namespace: "n")
        #expect(commands.last?.run.contains("kubectl delete pod web --dry-run=server") == true)
    }
}
