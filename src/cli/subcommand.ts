import type { Command } from 'commander'

/** A command of the program with what all commands share. */
export function subcommand(program: Command, name: string, description: string): Command {
  return program.command(name).description(description).copyInheritedSettings(program)
}
