import Foundation
import KithClient

// A bot that answers "ping" with "pong": PingBot FOLDER HOST:PORT
let profile = try await Profile.open(CommandLine.arguments[1], as: "ping")
let relay = try await profile.relay(CommandLine.arguments[2])
let known = await profile.openInvites().first
let open = if let known { known } else { try await profile.createInvite(at: relay, isReusable: true) }
FileHandle.standardOutput.write(Data("\(open.invite.line)\n".utf8))

for try await message in profile.incomingMessages(as: "ping", acceptsStrangers: true) where message.text == "ping" {
    // Fails if the conversation has ended.
    _ = try? await message.reply("pong")
}
