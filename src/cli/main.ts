#!/usr/bin/env node
import { leaveSoon } from './leave-soon.ts'
import { buildProgram } from './program.ts'
import { run } from './run.ts'

process.exitCode = await run(() => buildProgram(), process.argv)
leaveSoon()
