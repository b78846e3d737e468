import type { TestProject } from 'vitest/node'
import { vulkanEnvironment } from '../services/vulkan.ts'

/** The loader's path counts only where a process has it from its start: the tests of this project get it that way. */
export default async function setup(project: TestProject): Promise<void> {
  project.config.env = { ...project.config.env, ...(await vulkanEnvironment()) }
}
