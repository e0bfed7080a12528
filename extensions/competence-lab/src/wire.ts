/**
 * What the server part sends: the campus's messages with local knowledge added.
 *
 * Law: an unknown field is ignored, so that a newer campus can speak to an older panel.
 * Points and shares are decimal strings; times are ISO 8601 in UTC.
 */

export type WorkState =
  | 'not_open'
  | 'new'
  | 'handed_in'
  | 'grading'
  | 'preliminary'
  | 'published'
  | 'needs_person'
  | 'closed'
  | 'excused';

export type OutcomeStatus =
  | 'not_assessed'
  | 'developing'
  | 'pending'
  | 'achieved'
  | 'exceeded'
  | 'granted_rpl'
  | 'under_review'
  | 'expired'
  | 'withdrawn';

export interface IFile {
  path: string;
  sha256: string;
  bytes: number;
}

export interface IReceipt {
  submission_id: number;
  receipt: string;
  run: string;
  assignment: string;
  version: number;
  attempt: number;
  submitted_at: string;
  tree_sha256: string;
  late: boolean;
  /** What coming late means for the points. */
  late_note?: string;
  files: IFile[];
}

export interface ILocal {
  started: boolean;
  path: string;
  again: boolean;
  checked: boolean | null;
  receipt: IReceipt | null;
  version: number | null;
}

/** Where the grading of one hand-in is; what nobody measured is null or 0. */
export interface IProgress {
  submission_id: number;
  /** `again`: a try failed, and the next one waits. */
  state: 'queued' | 'again' | 'running' | 'ended';
  place: number | null;
  /** About how long until the answer. */
  seconds: number | null;
  done: number;
  of: number;
}

export interface IAssignment {
  name: string;
  title: string;
  summary: string;
  kind: 'practice' | 'summative';
  minutes: number;
  state: WorkState;
  version: number | null;
  due_at: string | null;
  closes_at: string | null;
  /** The instructor takes no hand-ins now, whatever closes_at says. */
  closed_early?: boolean;
  extended: boolean;
  /** What happens with late work. */
  late?: string;
  points: string | null;
  max_points: string;
  attempt: number;
  max_attempts: number | null;
  next_attempt_at: string | null;
  proves: string[];
  receipt: string | null;
  submitted_at: string | null;
  submission_id: number | null;
  feedback_id: number | null;
  message: string;
  /** Whether the pass mark is reached, where the campus says so. */
  passed?: boolean | null;
  /** While the grader has to answer. */
  progress?: IProgress | null;
  local: ILocal;
}

export interface ILesson {
  id: string;
  title: string;
  question: string;
  minutes: number;
  path: string;
  opened: boolean;
}

export interface IOutcome {
  id: string;
  kind: 'knowledge' | 'skill' | 'autonomy';
  statement: string;
  status: OutcomeStatus;
  level: string | null;
}

export interface IUnit {
  code: string;
  title: string;
  eqf: number;
  points: number;
  reached: number;
  total: number;
  status: OutcomeStatus;
  outcomes: IOutcome[];
}

export interface INextStep {
  kind: 'lesson' | 'assignment' | 'feedback' | 'wait' | 'none';
  id: string;
  title: string;
  detail: string;
  button: string;
}

export interface IRun {
  slug: string;
  course: string;
  title: string;
  opens_at: string;
  closes_at: string;
  time_zone: string;
  is_open: boolean;
  next: INextStep;
  lessons: ILesson[];
  assignments: IAssignment[];
  units: IUnit[];
}

/** What an instructor tells the whole cohort now. */
export interface INotice {
  text: string;
  cohort: string;
  until: string;
}

export interface IOverview {
  person: string;
  display_name: string;
  pseudonym: string;
  campus_url: string;
  help_contact: string;
  runs: IRun[];
  roles: string[];
  notices?: INotice[];
}

export interface IPlace {
  cell: string;
  index: number;
  title: string;
  message: string;
}

export interface ITest extends IPlace {
  passed: boolean;
  check: string;
  unwritten: boolean;
  note: string;
  traceback: string;
}

export interface IFault extends IPlace {
  traceback: string;
  note?: string;
}

export interface ICheckResult {
  path: string;
  passed: boolean;
  tests: ITest[];
  failed: number;
  faults: IFault[];
  untouched: IPlace[];
  stopped: string;
  read_by_person: number;
}

/** Either a receipt, or answers to ask about first; then nothing was sent. */
export interface IHandedIn {
  receipt: IReceipt | null;
  skipped: string[];
  untouched: IPlace[];
}

export interface ICheckNote {
  id: string;
  label: string;
  visible: boolean;
  passed: boolean | null;
}

export interface ICriterion {
  cell: string;
  title: string;
  points: string | null;
  max_points: string;
  graded: 'automatic' | 'person';
  outcomes: string[];
  checks: ICheckNote[];
  hints: string[];
  rubric: { points: string; text: string }[];
  /** What a person wrote. */
  comment: string;
  /** Why the machine gave no points. */
  why: string;
  answer: string;
  /** What this code printed before the first hidden test ran. */
  printed: string;
}

/** What a cell printed that belongs to no criterion. */
export interface IPrinted {
  cell: string;
  title: string;
  text: string;
}

export interface IFeedback {
  submission_id: number;
  receipt: string;
  run: string;
  assignment: string;
  title: string;
  attempt: number;
  state: 'preliminary' | 'published';
  submitted_at: string;
  graded_at: string;
  /** What was repaired before grading. */
  mended?: string[];
  points: string;
  max_points: string;
  /** What coming late took off the points. */
  late?: string;
  /** Whether this attempt counts, and why. */
  counts?: string;
  reason: string;
  /** What to try next; empty where nothing is left to do. */
  next: string;
  criteria: ICriterion[];
  printed: IPrinted[];
  /** Whether hidden tests ran, after which nothing printed is shown. */
  withheld: boolean;
}

/** Of one thing: what is used and what may be; null where nobody counts. */
export interface IUse {
  now: number | null;
  limit: number | null;
}

/** What this lab uses and may use; bytes, except for processes. */
export interface ILimits {
  known: boolean;
  memory?: IUse & { oom_kills: number | null };
  processes?: IUse & { hits: number | null };
  home?: IUse & { full: boolean; disk_full?: boolean };
  tmp?: IUse | null;
}
