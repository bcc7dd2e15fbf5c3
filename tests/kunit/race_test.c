// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VF driver as several threads use it at once.
 */
#include "migration_bed.h"

/**
 * struct player - a thread that plays its part again and again
 * @p: pair
 * @f: file to read
 * @step: the part
 * @mm: whose memory it uses
 * @task: it
 * @steps: done so far
 */
struct player {
	struct pair *p;
	struct file *f;
	void (*step)(struct player *player);
	struct mm_struct *mm;
	struct task_struct *task;
	unsigned int steps;
};

static int player_thread(void *data)
{
	struct player *player = data;

	kthread_use_mm(player->mm);
	while (!kthread_should_stop()) {
		player->step(player);
		WRITE_ONCE(player->steps, player->steps + 1);
		cond_resched();
	}
	kthread_unuse_mm(player->mm);
	return 0;
}

static void player_start(struct player *player)
{
	player->mm = current->mm;
	player->task = kthread_run(player_thread, player, "lmf-player");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(player->p->test, player->task);
}

static void step_read(struct player *player)
{
	char __user *to = player->p->user + get_random_u32_below(SZ_32K);

	player->f->f_op->read(player->f, to, 1 + get_random_u32_below(20000),
			      NULL);
}

static void step_state(struct player *player)
{
	go(player->p->src, get_random_u32_below(VFIO_DEVICE_STATE_NR + 1));
}

static void step_reset(struct player *player)
{
	reset(player->p->src);
	usleep_range(200, 2000);
}

static void step_ask(struct player *player)
{
	data_size(player->p->src);
	get_state(player->p->src);
}

static void step_save(struct player *player)
{
	unsigned int n = get_random_u32_below(20);

	player->f = set_state(player->p->src, STATE(PRE_COPY));
	if (IS_ERR_OR_NULL(player->f))
		return;
	while (n--)
		step_read(player);
	fput(player->f);
}

static void step_resume(struct player *player)
{
	struct file *f = set_state(player->p->src, STATE(RESUMING));
	char __user *from = player->p->user + SZ_64K;
	unsigned int n = get_random_u32_below(20);

	if (IS_ERR_OR_NULL(f))
		return;
	while (n--)
		f->f_op->write(f, from, 1 + get_random_u32_below(9000), NULL);
	fput(f);
}

static void step_dirty(struct player *player)
{
	mock_vf_write(&player->p->src->vf, get_random_u32_below(MOCK_GRANULES),
		      get_random_u32());
	usleep_range(10, 100);
}

#define STORM_STEPS	300

/* All at once; what counts is that nothing is left over, hangs or is warned. */
/* points: 7, 36 */
static void race_test_storm(struct kunit *test)
{
	static void (* const steps[])(struct player *player) = {
		step_state, step_reset, step_ask, step_save, step_resume,
		step_dirty, step_save,
	};
	struct player *players;
	unsigned int i;

	players = kunit_kcalloc(test, ARRAY_SIZE(steps), sizeof(*players),
				GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, players);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		players[i].p = test->priv;
		players[i].p->src->vf.delay_us = 20;
		players[i].step = steps[i];
		player_start(&players[i]);
	}
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		KUNIT_EXPECT_TRUE(test,
				  wait_until(READ_ONCE(players[i].steps) >=
					     STORM_STEPS, 60));
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		kthread_stop(players[i].task);
}

/* A read() waits for the device; meanwhile its session ends otherwise. */
static void block_reader(struct pair *p, long (*meanwhile)(struct bed *b))
{
	struct file *f;
	struct player reader = { .p = p, .step = step_read };
	struct lmf_migf *migf;
	bool dropped;

	p->src->vf.hold = true;
	f = set_state(p->src, STATE(PRE_COPY));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(p->test, f);
	migf = f->private_data;
	reader.f = f;
	player_start(&reader);
	/* Who waits has dropped the lock, but shuts out other readers. */
	dropped = wait_until(READ_ONCE(migf->waiting) &&
			     !mutex_is_locked(&migf->lock), 10);
	KUNIT_EXPECT_TRUE(p->test, dropped);
	KUNIT_EXPECT_TRUE(p->test, mutex_is_locked(&migf->io_mutex));
	if (dropped)
		KUNIT_EXPECT_EQ(p->test, meanwhile(p->src), 0);
	mock_vf_release(&p->src->vf);
	KUNIT_EXPECT_EQ(p->test, go(p->src, STATE(RUNNING)), 0);
	kthread_stop(reader.task);
	KUNIT_EXPECT_EQ(p->test, read_some(p, f, 10), -ENODEV);
	fput(f);
}

static long go_stop_copy(struct bed *b)
{
	return go(b, STATE(STOP_COPY));
}

static long go_reset(struct bed *b)
{
	reset(b);
	return get_state(b) == STATE(RUNNING) ? 0 : -EBUSY;
}

static long go_nowhere(struct bed *b)
{
	return 0;
}

/* points: 7, 10 */
static void race_test_blocked(struct kunit *test)
{
	block_reader(test->priv, go_nowhere);
	block_reader(test->priv, go_stop_copy);
	block_reader(test->priv, go_reset);
}

static struct kunit_case race_test_cases[] = {
	KUNIT_CASE(race_test_blocked),
	KUNIT_CASE_SLOW(race_test_storm),
	{}
};

static struct kunit_suite race_test_suite = {
	.name = "lmf-race",
	.init = migration_test_init,
	.exit = migration_test_exit,
	.test_cases = race_test_cases,
};

kunit_test_suite(race_test_suite);
