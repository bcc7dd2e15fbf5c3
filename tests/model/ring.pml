/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of the dirty log's ring, of both its sides, for spin.
 *
 * It is checked for the first rule of the log: each DMA write that completed
 * before a report enters, and was not reported yet, is in that report. Also
 * that nobody waits for ever.
 *
 * Two granules, a ring of two slots. The sets of granules are bit masks. A
 * granule is in @owed from the write on until a report answers it; only the
 * assertion looks at it. Steps that stand alone may be interrupted between any
 * two of them, so each that is one access to shared memory stands alone.
 *
 *	Engine	the VF's DMA writes, and resets of the function
 *	Logger	posts what was written, some time later; serves a flush
 *	Worker	drains in the background
 *	Host	reports
 *
 * MUTANT breaks one rule; the checker has to find out:
 *	1 the phase is written before the rest of the entry
 *	2 a report does not flush
 *	3 a flush is answered as complete although something was not posted
 *	4 the device posts into a slot that was not consumed
 *	5 what does not fit the ring is dropped
 *	6 a granule that is in the ring is not logged anew
 *	7 a reset of the function forgets what was not posted
 *	8 the slots are given back before they were read
 *	9 what a report takes is cleared after it was copied, without the lock
 *	10 the host gives back what the device says it produced
 */
#ifndef MUTANT
#define MUTANT 0
#endif

#define SLOTS		2
#define ALL		3	/* both granules */
#define WRITES		4
#define REPORTS		2
#define RESETS		1

/* Entry n stands in slot n mod SLOTS; counts run mod twice the slots. */
#define COUNT(n)	((n) % (2 * SLOTS))
#define PHASE(n)	(((n) / SLOTS) % 2 == 0)

byte owed;

/* host memory, written by the device */
byte entry[SLOTS];
bool phase[SLOTS];

/* the device */
byte kept;		/* written, and not posted */
byte posted;		/* for mutant 6 */
byte produced;
byte told;		/* what the host said it consumed */
#define ROOM		((MUTANT == 4) || COUNT(produced + 2 * SLOTS - told) < SLOTS)

/* the host */
bool locked;
byte consumed;
byte shadow;

mtype = { FLUSH };
chan command = [0] of { mtype };
chan answer = [0] of { bool };	/* more */

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

inline dma_write(granule)
{
	atomic {
		owed = owed | granule;
		if
		:: MUTANT == 6 && (posted & granule)
		:: MUTANT == 5 && !ROOM
		:: else -> kept = kept | granule
		fi
	}
}

active proctype Engine()
{
	byte writes, resets;

	do
	:: writes < WRITES -> dma_write(1); writes++
	:: writes < WRITES -> dma_write(2); writes++
	:: resets < RESETS ->
		resets++;
		if
		:: MUTANT == 7 -> kept = 0
		:: else
		fi
	:: break
	od
}

byte what;	/* the Logger's entry on its way */

inline write_entry()
{
	if
	:: MUTANT == 1 ->
		phase[produced % SLOTS] = PHASE(produced);
		entry[produced % SLOTS] = what
	:: else ->
		entry[produced % SLOTS] = what;
		phase[produced % SLOTS] = PHASE(produced)
	fi
}

/* One granule, or both as a coarse one: it may always be too much. */
inline post()
{
	atomic {
		if
		:: kept & 1 -> what = 1
		:: kept & 2 -> what = 2
		:: kept == ALL -> what = ALL
		:: what = ALL
		fi;
		kept = kept & ~what;
		posted = posted | what
	}
	write_entry();
	produced = COUNT(produced + 1)
}

active proctype Logger()
{
end:	do
	:: atomic { kept && ROOM -> skip }; post()
	:: command ? FLUSH ->
		do
		:: kept && ROOM -> post()
		:: else -> break
		od;
		answer ! (MUTANT != 3 && kept)
	od
}

/* Until an entry is missing; the caller holds the lock. */
inline drain()
{
	do
	:: phase[consumed % SLOTS] == PHASE(consumed) ->
		if
		:: MUTANT == 8 -> told = COUNT(consumed + 1)
		:: else
		fi;
		shadow = shadow | entry[consumed % SLOTS];
		consumed = COUNT(consumed + 1);
		told = (MUTANT == 10 -> produced : consumed)
	:: else -> break
	od
}

active proctype Worker()
{
end:	do
	:: lock(); drain(); unlock()
	od
}

inline flush_and_drain()
{
	do
	:: command ! FLUSH;
	   answer ? more;
	   lock(); drain(); unlock();
	   if
	   :: more
	   :: else -> break
	   fi
	od
}

/* What is written from here on is in the next report. */
inline take()
{
	atomic { taken = shadow; owed = owed & ~taken };
	shadow = 0
}

active proctype Host()
{
	byte reports, due, taken;
	bool more;

	do
	:: reports < REPORTS ->
		reports++;
		due = owed;
		if
		:: MUTANT == 2 -> lock(); drain(); unlock()
		:: else -> flush_and_drain()
		fi;
		if
		:: MUTANT == 9 -> take()
		:: else -> lock(); take(); unlock()
		fi;
		assert((due & ~taken) == 0)
	:: else -> break
	od
}
