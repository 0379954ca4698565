/**
 * The contract's implementation over a desk: every call, and the live feed. Knows no transport (server.ts and
 * transport-ports.ts carry it) and decides nothing: enablement and refusals are the engine's.
 */
import { implement } from '@orpc/server';
import { contract } from '../contract/contract.ts';
import type { Desk } from '../contract/desk.ts';
import { asCallError } from './call-errors.ts';
import { frames } from './frames.ts';

export interface RouterOptions {
  desk: Desk;
  /** Told of every fault of our own (never of refusals), so that it can be logged; the client only hears `internal`. */
  onFault?: (error: unknown) => void;
}

/**
 * Makes the router that both transports serve. Errors leave it as ORPCError with `data: { code, message, todo }`
 * (contract/errors.ts): an EstepeError as it is, bad input as `usage`, everything else as `internal`, its own text
 * withheld because it may name paths or carry secrets.
 */
export function makeRouter({ desk, onFault = () => {} }: RouterOptions) {
  const os = implement(contract).use(async ({ next }) => {
    try {
      return await next();
    } catch (error) {
      throw asCallError(error, onFault);
    }
  });

  return os.router({
    snapshot: os.snapshot.handler(() => desk.snapshot()),
    feed: os.feed.handler(async function* ({ signal }) {
      try {
        yield* frames(desk, signal);
      } catch (error) {
        // The middleware above is long gone when the stream breaks.
        throw asCallError(error, onFault);
      }
    }),
    promote: os.promote.handler(({ input }) => desk.promote(input)),
    switchover: os.switchover.handler(({ input }) => desk.switchover(input)),
    standDown: os.standDown.handler(({ input }) => desk.standDown(input)),
    cancel: os.cancel.handler(({ input }) => desk.cancel(input)),
    maintenance: {
      on: os.maintenance.on.handler(({ input }) => desk.maintenanceOn(input)),
      off: os.maintenance.off.handler(({ input }) => desk.maintenanceOff(input)),
    },
    stop: os.stop.handler(({ input }) => desk.stop(input)),
    backups: {
      refresh: os.backups.refresh.handler(() => desk.backups.refresh()),
      run: os.backups.run.handler(({ input }) => desk.backups.run(input)),
      verify: os.backups.verify.handler(({ input }) => desk.backups.verify(input)),
      restore: os.backups.restore.handler(({ input }) => desk.backups.restore(input)),
      cancel: os.backups.cancel.handler(({ input }) => desk.backups.cancel(input)),
    },
    pair: {
      open: os.pair.open.handler(({ input }) => desk.pair.open(input)),
      join: os.pair.join.handler(({ input }) => desk.pair.join(input)),
      status: os.pair.status.handler(() => desk.pair.status()),
      remove: os.pair.remove.handler(({ input }) => desk.pair.remove(input)),
    },
    doctor: {
      start: os.doctor.start.handler(() => desk.doctor.start()),
      view: os.doctor.view.handler(() => desk.doctor.view()),
    },
    drill: {
      start: os.drill.start.handler(({ input }) => desk.drill.start(input)),
      cancel: os.drill.cancel.handler(({ input }) => desk.drill.cancel(input)),
      report: os.drill.report.handler(() => desk.drill.report()),
    },
    notify: {
      test: os.notify.test.handler(({ input }) => desk.notify.test(input)),
      list: os.notify.list.handler(({ input }) => desk.notify.list(input)),
    },
    standing: { confirm: os.standing.confirm.handler(({ input }) => desk.standingConfirmed(input)) },
    history: {
      events: os.history.events.handler(({ input }) => desk.events(input)),
      series: os.history.series.handler(({ input }) => desk.series(input)),
      beats: os.history.beats.handler(({ input }) => desk.beats(input)),
    },
    config: {
      show: os.config.show.handler(() => desk.configShown()),
      read: os.config.read.handler(() => desk.settings.read()),
      check: os.config.check.handler(({ input }) => desk.settings.check(input)),
      save: os.config.save.handler(({ input }) => desk.settings.save(input)),
      try: {
        start: os.config.try.start.handler(({ input }) => desk.settings.trials.start(input)),
        view: os.config.try.view.handler(() => desk.settings.trials.view()),
        cancel: os.config.try.cancel.handler(({ input }) => desk.settings.trials.cancel(input)),
      },
    },
    secrets: { set: os.secrets.set.handler(({ input }) => desk.settings.setSecret(input)) },
  });
}

export type DeskRouter = ReturnType<typeof makeRouter>;
