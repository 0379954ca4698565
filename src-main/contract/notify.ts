/** How people are told: the channels with their state, and what was sent through them. Times are milliseconds since 1970 (wall clock). */
import { z } from 'zod';
import { severitySchema } from './words.ts';

export const channelNames = ['desktop', 'email', 'webhook'] as const;
export const channelNameSchema = z.enum(channelNames);
export type ChannelName = z.infer<typeof channelNameSchema>;

/** `waiting`: not through yet. `sent`: the other end took it. `given-up`: it never did. */
export const deliveryStates = ['waiting', 'sent', 'given-up'] as const;
export const deliveryStateSchema = z.enum(deliveryStates);
export type DeliveryState = z.infer<typeof deliveryStateSchema>;

export const channelViewSchema = z.object({
  name: channelNameSchema,
  /** where it leads, never with a secret: `admin@example.com by smtp.example.com:587` */
  target: z.string(),
  /** less grave messages are not sent there */
  least: severitySchema,
  lastSentAt: z.number().nullable(),
  /** the newest one, be it mended since or not; see `failing` */
  lastFailure: z.object({ at: z.number(), sentence: z.string(), todo: z.string() }).nullable(),
  /** nothing got through since the newest failure */
  failing: z.boolean(),
  /** messages that are not through yet */
  waiting: z.number(),
  /** when they are tried again; null: at once, or none waits */
  nextAt: z.number().nullable(),
  testing: z.boolean(),
});
export type ChannelView = z.infer<typeof channelViewSchema>;

/** The part of the snapshot. No channels: nobody is told but by the screens. */
export const notifyViewSchema = z.object({
  channels: z.array(channelViewSchema),
  /** grows with every delivery that was begun or has ended; the deliveries themselves are asked for */
  changes: z.number(),
});
export type NotifyView = z.infer<typeof notifyViewSchema>;

/** One message on its way through one channel. */
export const deliverySchema = z.object({
  id: z.number(),
  channel: channelNameSchema,
  /** of the incident; `notify.test` for a test */
  key: z.string(),
  severity: severitySchema,
  text: z.string(),
  toldAt: z.number(),
  state: deliveryStateSchema,
  attempts: z.number(),
  /** of the newest attempt; null: none was made yet */
  triedAt: z.number().nullable(),
  /** what the other end answered last, or why nothing was heard */
  said: z.string(),
});
export type DeliveryView = z.infer<typeof deliverySchema>;

export const notifyTestSchema = z.object({
  results: z.array(
    z.object({
      channel: channelNameSchema,
      sent: z.boolean(),
      said: z.string(),
      /** '' where there is nothing to do */
      todo: z.string(),
      ms: z.number(),
    }),
  ),
});
export type NotifyTest = z.infer<typeof notifyTestSchema>;
