import { Command } from 'commander'
import { packageVersion } from '../core/package-root.ts'
import { addBacktest } from './backtest.ts'
import { addCalibrate } from './calibrate.ts'
import { addDemo } from './demo.ts'
import { addDlq } from './dlq.ts'
import { addDoctor } from './doctor.ts'
import { addEvaluate } from './evaluate.ts'
import { addExplain } from './explain.ts'
import { addFeedback } from './feedback.ts'
import { addFit } from './fit.ts'
import { addInit } from './init.ts'
import { addJobs } from './jobs.ts'
import { addLint } from './lint.ts'
import { addModels } from './models.ts'
import { addRun } from './pipeline.ts'
import { addRetrain } from './retrain.ts'
import { addScore } from './score.ts'
import { addServe } from './serve.ts'
import { addTrainer } from './trainer.ts'

/** Every command, in the order in which help shows them. A command loads what it needs when it runs. */
const COMMANDS = [
  addInit,
  addLint,
  addFit,
  addScore,
  addRun,
  addTrainer,
  addServe,
  addRetrain,
  addJobs,
  addDlq,
  addExplain,
  addEvaluate,
  addFeedback,
  addBacktest,
  addCalibrate,
  addModels,
  addDemo,
  addDoctor,
]

export function buildProgram(): Command {
  const program = new Command('surprisal')
    .description(
      'Learns what normal records look like and flags the improbable ones, with the field to blame.',
    )
    .version(packageVersion)
    .showSuggestionAfterError()
    .showHelpAfterError('(surprisal --help, or surprisal help <command>, says more)')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`surprisal: ${text}`) })
  for (const add of COMMANDS) add(program)
  return program
}
