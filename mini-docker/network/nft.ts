// Runs nft(8), the only program that networks need. Through pipes; 5 to 8 ms a call, none of it on the main
// thread.

import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { ExpectedError, internal } from '../formats/errors.ts';
import { type DroppingRule, droppingRules, type Target } from './foreign-rules.ts';
import { decodePublished } from './published.ts';
import type { PublishedPort } from './rules.ts';

/** There is no nft, or it must not be used: the caller can try other ways. */
export class NftMissingError extends ExpectedError {
  override name = 'NftMissingError';
}

export interface Nft {
  /**
   * Runs a script as one transaction. @throws NftMissingError when nft is missing; ExpectedError with nft's
   * first line when it fails
   */
  run(script: string): Promise<void>;
  /** Chains of other tables through which forwarded packets pass first. */
  forwardChains(ourTable: string): Promise<ForeignChain[]>;
  /** Rules of other tables than ours that may keep packets from their target. */
  rulesAgainst(ourTable: string, target: Target): Promise<DroppingRule[]>;
  /** Names of all tables, each once. */
  tables(): Promise<string[]>;
  /** With the directories of administrators' tools in PATH, which a daemon's may lack. */
  readonly environment: NodeJS.ProcessEnv;
  /** The ports that our table publishes; [] without a table. */
  published(): Promise<PublishedPort[]>;
  /** Why there is none, where there is none. */
  readonly absence: string;
  /** The administrator makes all rules. */
  readonly isForbidden: boolean;
}

/** @param tool a path, or a name to be searched in PATH */
export function findNft(tool = 'nft'): Nft {
  return {
    run: async script => {
      await run(tool, ['-f', '-'], script);
    },
    forwardChains: async ourTable =>
      decodeForwardChains(await run(tool, ['-j', '-a', 'list', 'ruleset']), ourTable),
    rulesAgainst: async (ourTable, target) =>
      droppingRules(await run(tool, ['-j', '-a', 'list', 'ruleset']), ourTable, target),
    environment: ENVIRONMENT,
    tables: async () => {
      const { nftables } = JSON.parse(await run(tool, ['-j', 'list', 'tables'])) as {
        nftables: { table?: { name: string } }[];
      };
      return [...new Set(nftables.flatMap(({ table }) => table?.name ?? []))];
    },
    published: async () => decodePublished(await run(tool, ['-j', 'list', 'ruleset', 'inet'])),
    absence: 'nft is not installed: install nftables',
    isForbidden: false,
  };
}

/** For a daemon that must not touch the firewall ("iptables": false). */
export function noNft(): Nft {
  const absence = 'the daemon may make no rules of the firewall (its setting iptables is false)';
  const refuse = () => Promise.reject(new NftMissingError('internal', absence));
  return {
    run: refuse,
    forwardChains: refuse,
    rulesAgainst: refuse,
    environment: ENVIRONMENT,
    tables: refuse,
    published: refuse,
    absence,
    isForbidden: true,
  };
}

export interface ForeignChain {
  family: string;
  table: string;
  name: string;
  /** Whether it drops packets that it does not accept. */
  dropping: boolean;
  rules: { handle: number; comment: string | undefined }[];
}

function decodeForwardChains(listing: string, ourTable: string): ForeignChain[] {
  const { nftables } = JSON.parse(listing) as { nftables: Listed[] };
  const found: ForeignChain[] = [];
  for (const { chain, rule } of nftables) {
    if (
      chain?.hook === 'forward' &&
      `${chain.family} ${chain.table}` !== ourTable &&
      FAMILIES.includes(chain.family)
    ) {
      const { family, table, name } = chain;
      found.push({ family, table, name, dropping: chain.policy === 'drop', rules: [] });
    }
    if (!rule) continue;
    const its = found.find(
      each => each.family === rule.family && each.table === rule.table && each.name === rule.chain,
    );
    its?.rules.push({ handle: rule.handle, comment: rule.comment });
    // A jump may lead to a drop.
    if (its && rule.expr.some(part => DECIDING.some(word => word in part))) its.dropping = true;
  }
  return found;
}

const FAMILIES = ['ip', 'ip6', 'inet'];
const DECIDING = ['drop', 'reject', 'jump', 'goto', 'xt', 'vmap'];

interface Listed {
  chain?: { family: string; table: string; name: string; hook?: string; policy?: string };
  rule?: { family: string; table: string; chain: string; handle: number; comment?: string; expr: object[] };
}

const ENVIRONMENT = {
  ...process.env,
  PATH: [process.env.PATH, '/usr/sbin', '/sbin'].filter(Boolean).join(delimiter),
};

function run(tool: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(tool, args, { env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let output = '';
    let errors = '';
    child.stdout.on('data', chunk => {
      output += chunk;
    });
    child.stderr.on('data', chunk => {
      errors += chunk;
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? new NftMissingError('internal', `${tool} is not installed`) : error);
    });
    child.once('close', code => {
      if (code === 0) resolve(output);
      else reject(internal(`nft failed: ${firstLine(errors) ?? `exit code ${code}`}`));
    });
    // nft may exit before it has read everything; its exit code tells why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function firstLine(text: string): string | undefined {
  return text.split('\n').find(line => line.trim() !== '');
}
