import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromiumPath } from './chromium.ts'

/** Where Chromium keeps SwiftShader, a GPU in software, and the Vulkan loader that finds it. */
const FOLDERS = ['/usr/lib/chromium', '/usr/lib64/chromium-browser', '/opt/google/chrome']
const DRIVER = 'vk_swiftshader_icd.json'

/**
 * What a process must be started with for WebGPU to run on SwiftShader. SURPRISAL_TEST_VULKAN names a Vulkan driver's
 * JSON file instead; on macOS and Windows WebGPU runs on what the system has.
 */
export async function vulkanEnvironment(): Promise<Readonly<Record<string, string>>> {
  const named = process.env.SURPRISAL_TEST_VULKAN
  if (named) return { VK_ICD_FILENAMES: named }
  if (process.platform !== 'linux') return {}
  await chromiumPath()
  const folder = FOLDERS.find((path) => existsSync(join(path, DRIVER)))
  if (folder === undefined)
    throw new Error(
      `tests need SwiftShader: no ${DRIVER} in ${FOLDERS.join(', ')}; install Chromium (Debian: apt-get install chromium), or set SURPRISAL_TEST_VULKAN to the JSON file of a Vulkan driver`,
    )
  return {
    VK_ICD_FILENAMES: join(folder, DRIVER),
    LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':'),
  }
}
